// What surrounds every page: menu, tenant, preferences, notes.
import mark from '../assets/belfry.svg';
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api_path } from '../core/api';
import { Context, type Tenant, TenantContext } from '../core/context';
import { useGet } from '../core/hooks';
import { BASE, go, match, useRoute } from '../core/router';
import type { Session } from '../core/session';
import { t } from '../i18n';
import { Heading, IconButton, ProblemBox } from '../ui/bits';
import { PhoneBar } from '../phone/phone_bar';
import { Icon } from '../ui/icon';
import { PAGES, type PageRow, menu_path } from './pages';
import { Preferences } from './preferences';

const NOTE_MS = 5000;

export function Shell({ session, leave }: { session: Session; leave: () => void }) {
  const route = useRoute();
  const { who } = session;
  const [note, set_note] = useState('');
  const [menu, set_menu] = useState(false);
  const timer = useRef(0);
  const say = useCallback((text: string) => {
    set_note(text);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => set_note(''), NOTE_MS);
  }, []);
  const surroundings = useMemo(() => ({ session, note: say }), [session, say]);
  const found = PAGES.map((row) => ({ row, params: match(row.path, route) })).find(({ params }) => params);
  const slug = found?.params?.['tenant'] ?? who.tenant?.slug ?? null;
  useEffect(() => set_menu(false), [route]);
  useEffect(() => {
    if (route === '/') go(who.tenant ? `/t/${who.tenant.slug}/calls` : '/tenants', { replace: true });
  }, [route, who]);
  return (
    <Context.Provider value={surroundings}>
      <a class="skip" href="#page">{t('skip')}</a>
      <div class={`shell ${menu ? 'menu-open' : ''}`}>
        <header class="top">
          <IconButton icon={menu ? 'close' : 'menu'} label={t('menu')} class="menu-button" aria-expanded={menu} aria-controls="menu" onClick={() => set_menu(!menu)} />
          <a class="brand" aria-label="Belfry" href={`${BASE}/`}><img src={mark} alt="" width="26" height="26" /><span>Belfry</span></a>
          <span class="where">{slug ?? ''}</span>
          <Preferences short />
          <IconButton icon="out" label={t('sign_out')} onClick={leave} />
        </header>
        <nav id="menu" aria-label={t('menu')}>
          {who.role === 'operator' && <Menu label={t('menu.platform')} rows={PAGES.filter(({ operators }) => operators)} tenant={null} route={route} />}
          {slug && <Menu label={who.role === 'operator' ? slug : who.tenant?.name ?? slug} rows={PAGES.filter(({ operators }) => !operators)} tenant={slug} route={route} />}
          <p class="who">{t(`role.${who.role}`)}</p>
        </nav>
        <main id="page" tabIndex={-1}>
          {found ? <Found route={route} row={found.row} params={found.params!} session={session} /> : route !== '/' && <Nothing />}
        </main>
        <PhoneBar tenant={slug} route={route} />
        <div class="note" role="status" aria-live="polite">{note}</div>
      </div>
    </Context.Provider>
  );
}

function Menu({ label, rows, tenant, route }: { label: string; rows: PageRow[]; tenant: string | null; route: string }) {
  return (
    <section>
      <h2>{label}</h2>
      <ul>
        {rows.filter(({ menu }) => menu).map((row) => {
          const path = menu_path(row, tenant);
          return <li key={path}><a href={BASE + path} aria-current={route === path || route.startsWith(`${path}/`) ? 'page' : undefined}><Icon name={row.menu!.icon} />{t(row.menu!.label)}</a></li>;
        })}
      </ul>
    </section>
  );
}

function Found({ route, row, params, session }: { route: string; row: PageRow; params: Record<string, string>; session: Session }) {
  const Page = row.page;
  const tenant = params['tenant'];
  if (row.operators && session.who.role !== 'operator') return <Nothing />;
  return tenant === undefined ? <Page key={route} params={params} /> : <OfTenant key={tenant} session={session} slug={tenant}><Page key={route} params={params} /></OfTenant>;
}

function OfTenant({ session, slug, children }: { session: Session; slug: string; children: ComponentChildren }) {
  const { data, problem, reload } = useGet<Tenant>(session.api, api_path`/v1/tenants/${slug}`);
  if (problem && !data) return <><Heading title={slug} /><ProblemBox problem={problem} retry={reload} /></>;
  if (!data) return <p class="loading" role="status">{t('loading')}</p>;
  return (
    <TenantContext.Provider value={data}>
      {data.status === 'suspended' && <p class="banner" role="note">{t('tenant.suspended_note')}</p>}
      {children}
    </TenantContext.Provider>
  );
}

const Nothing = () => <><Heading title={t('nothing_here')} /><p><a href={`${BASE}/`}>{t('go_home')}</a></p></>;
