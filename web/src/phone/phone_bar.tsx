// On every page of the console: what the phone is doing, with the way to it.
import { BASE } from '../core/router';
import { t } from '../i18n';
import { Icon } from '../ui/icon';
import { usePhone } from './dock';
import { in_focus } from './phone_call';

export function PhoneBar({ tenant, route }: { tenant: string | null; route: string }) {
  const phone = usePhone();
  const path = `/t/${tenant}/phone`;
  const call = phone && in_focus(phone.state.calls);
  if (!call || call.state === 'ended' || tenant === null || route === path) return null;
  return (
    <a class={`phone-bar ${call.state}`} href={BASE + path}>
      <Icon name={call.state === 'incoming' ? 'answer' : 'phone'} />
      {call.state === 'incoming' ? t('phone.incoming_from', { peer: call.name || call.peer }) : t('phone.call_with', { peer: call.name || call.peer })}
    </a>
  );
}
