// Which microphone, loudspeaker and camera.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { type Choice, DEVICE_KINDS, type Kind, keep_choice } from './devices';
import type { Phone } from './engine';

export function DeviceChoice({ phone }: { phone: Phone }) {
  const [devices, set_devices] = useState<MediaDeviceInfo[]>([]);
  const [choice, set_choice] = useState(phone.choice);
  useEffect(() => {
    const places = navigator.mediaDevices;
    if (!places) return;
    const look = () => void places.enumerateDevices().then(set_devices, () => {});
    look();
    places.addEventListener('devicechange', look);
    const unwatch = phone.watch(look); // names are told only once a call may use them
    return () => {
      places.removeEventListener('devicechange', look);
      unwatch();
    };
  }, [phone]);
  const choose = (kind: Kind, id: string) => {
    const next: Choice = { ...choice, [kind]: id };
    set_choice(next);
    keep_choice(next);
    void phone.use(next).catch(() => {});
  };
  if (!navigator.mediaDevices) return <p class="problem" role="alert">{t('phone.insecure')}</p>;
  return (
    <details class="devices">
      <summary>{t('phone.devices')}</summary>
      {(Object.keys(DEVICE_KINDS) as Kind[]).map((kind) => (
        <label key={kind}><span>{t(`device.${kind}`)}</span>
          <select value={choice[kind]} onChange={(event) => choose(kind, event.currentTarget.value)}>
            <option value="">{t('device.default')}</option>
            {devices.filter((each) => each.kind === DEVICE_KINDS[kind] && each.deviceId && each.deviceId !== 'default').map((each, i) => <option key={each.deviceId} value={each.deviceId}>{each.label || `${t(`device.${kind}`)} ${i + 1}`}</option>)}
          </select>
        </label>
      ))}
    </details>
  );
}
