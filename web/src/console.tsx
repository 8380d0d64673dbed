// The console: who is signed in, then the shell.
import './styles/console.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Problem } from './core/api';
import { take_from_fragment } from './core/fragment';
import { type Session, forget_key, kept_key, redeem, sign_in, sign_out } from './core/session';
import { kept_theme, show_theme } from './core/theme';
import { speak, t, wanted_lang } from './i18n';
import { LoginPage } from './login/login_page';
import { language_changed } from './shell/preferences';
import { Shell } from './shell/shell';

const login = take_from_fragment('login'); // before anything else: it must not stay in the address bar

function Console() {
  const [session, set_session] = useState<Session | null>(null);
  const [problem, set_problem] = useState<Problem | null>(null);
  const [known, set_known] = useState(false);
  const [, speak_again] = useState(0);
  const ended = () => {
    forget_key();
    set_session(null);
  };
  useEffect(() => {
    const again = () => speak_again((n) => n + 1);
    language_changed.addEventListener('changed', again);
    const key = kept_key();
    const begin = login ? redeem(login, ended) : key ? sign_in(key, ended) : Promise.resolve(null);
    begin.then(set_session, (error) => set_problem(error instanceof Problem ? error : new Problem(0, String(error)))).finally(() => set_known(true));
    return () => language_changed.removeEventListener('changed', again);
  }, []);
  const leave = () => {
    if (session) void sign_out(session).then(() => set_session(null));
  };
  if (!known) return <p class="loading" role="status">{t('loading')}</p>;
  return session ? <Shell session={session} leave={leave} /> : <LoginPage problem={problem} ended={ended} signed_in={set_session} />;
}

show_theme(kept_theme());
await speak(wanted_lang());
render(<Console />, document.getElementById('app')!);
