// Language, and light or dark.
import { useState } from 'preact/hooks';
import { THEMES, kept_theme, show_theme } from '../core/theme';
import { type Lang, keep_lang, lang, speak, t } from '../i18n';
import { IconButton } from '../ui/bits';

/** Tells the page that another language is spoken. */
export const language_changed = new EventTarget();

async function speak_and_keep(wanted: Lang): Promise<void> {
  keep_lang(wanted);
  await speak(wanted);
  language_changed.dispatchEvent(new Event('changed'));
}

/** `short`: for a bar that has little room. */
export function Preferences({ short = false }: { short?: boolean }) {
  const [theme, set_theme] = useState(kept_theme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  const turn = () => {
    show_theme(next);
    set_theme(next);
  };
  return (
    <div class="preferences">
      <select aria-label={t('language')} value={lang()} onChange={(event) => void speak_and_keep(event.currentTarget.value as Lang)}>
        <option value="en" lang="en">{short ? 'EN' : 'English'}</option>
        <option value="pt" lang="pt-BR">{short ? 'PT' : 'Português'}</option>
      </select>
      <IconButton icon={theme} label={`${t('theme')}: ${t(`theme.${theme}`)}`} onClick={turn} />
    </div>
  );
}
