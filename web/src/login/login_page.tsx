// Signing in with an API key. A login link does not come here unless it was not good.
import mark from '../assets/belfry.svg';
import { useState } from 'preact/hooks';
import { Problem } from '../core/api';
import { type Session, sign_in } from '../core/session';
import { t } from '../i18n';
import { Button, ProblemBox } from '../ui/bits';
import { Preferences } from '../shell/preferences';

export function LoginPage({ problem, ended, signed_in }: { problem: Problem | null; ended: () => void; signed_in: (session: Session) => void }) {
  const [wrong, set_wrong] = useState<Problem | null>(problem);
  const [busy, set_busy] = useState(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem('key') as HTMLInputElement;
    set_busy(true);
    try {
      signed_in(await sign_in(input.value.trim(), ended));
    } catch (error) {
      input.value = '';
      set_wrong(error instanceof Problem ? error : new Problem(0, String(error)));
      set_busy(false);
    }
  };
  return (
    <main class="login">
      <img src={mark} alt="" width="48" height="48" />
      <h1>Belfry</h1>
      <form onSubmit={(event) => void send(event as unknown as SubmitEvent)}>
        <div class="row">
          <label for="key">{t('login.key')}</label>
          <input id="key" name="key" type="password" autocomplete="off" required minLength={10} maxLength={128} spellcheck={false} autofocus aria-describedby="key-hint" />
          <p class="hint" id="key-hint">{t('login.hint')}</p>
        </div>
        {wrong && <ProblemBox problem={wrong.status === 401 ? new Problem(401, t(problem && wrong === problem ? 'login.link_spent' : 'login.wrong')) : wrong} />}
        <Button kind="main" type="submit" disabled={busy}>{t('login.go')}</Button>
      </form>
      <Preferences />
    </main>
  );
}
