// Line icons of 20 x 20, drawn with the text's colour. They say nothing to screen readers: the words beside them do.
const PATHS = {
  calls: 'M4 4.5c0 6.4 5.1 11.5 11.5 11.5l1-3.2-3.4-1.6-1.6 1.5a9 9 0 0 1-4.2-4.2l1.5-1.6L7.2 3.5z',
  cdrs: 'M10 4v6l3.5 2M10 2.5a7.5 7.5 0 1 0 7.5 7.5M17.5 4v4h-4',
  extensions: 'M7.5 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zm-5 8c0-3 2.2-5 5-5s5 2 5 5M13 3.3a3 3 0 0 1 0 5.4M15 12.6c1.6.8 2.6 2.4 2.6 4.4',
  groups: 'M10 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM4 17a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zm12 0a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8.8 8.3 5.2 12m6-3.7 3.6 3.7',
  registrations: 'M6 2.5h8v15H6zM9 15h2',
  webhooks: 'M8.5 8.5 6 13M4.5 16.5a2.2 2.2 0 1 0 0-4.4M10 7.5a2.5 2.5 0 1 1 2.2-3.6M11 6.5l3 5.5M15 16.5a2.3 2.3 0 1 0-2-3.4M7 14.5h5.5',
  deliveries: 'M2.5 10 17.5 3l-5 14-3-6zM9.5 11l3.5-3.5',
  keys: 'M12.5 11a4 4 0 1 0-3.8-2.7L3 14v3h3v-2h2v-2l1.7-1.7a4 4 0 0 0 2.8-.3zM13.5 6.5h.01',
  audit: 'M5 2.5h10v15H5zM7.5 6.5h5m-5 3.5h5m-5 3.5h3',
  settings: 'M3 6h8m4 0h2M3 14h2m4 0h8M13 4v4m-6 4v4',
  health: 'M2.5 10.5h3.5L8 5l4 10 2-4.5h3.5',
  edges: 'M3 4h14v4.5H3zm0 7.5h14V16H3zM6 6.2h.01M6 13.8h.01',
  tenants: 'M3 17V6l6-3v14m0-9.5 8 2.5v7M3 17h14M5.5 8v.01M5.5 11v.01M5.5 14v.01M12.5 12v.01M12.5 14.5v.01',
  phone: 'M6.5 2.5h7a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 5 16V4a1.5 1.5 0 0 1 1.5-1.5zM8 5.5h4M10 14.8h.01',
  auto: 'M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14',
  light: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 1.8v1.7m0 13v1.7M1.8 10h1.7m13 0h1.7M4.2 4.2l1.2 1.2m9.2 9.2 1.2 1.2m0-11.6-1.2 1.2m-9.2 9.2-1.2 1.2',
  dark: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z',
  out: 'M8 3.5H4v13h4M12 6.5l3.5 3.5-3.5 3.5M15.5 10H8',
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  menu: 'M3 5.5h14M3 10h14M3 14.5h14',
  close: 'm5 5 10 10M15 5 5 15',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  plus: 'M10 4v12M4 10h12',
  answer: 'M4 4.5c0 6.4 5.1 11.5 11.5 11.5l1-3.2-3.4-1.6-1.6 1.5a9 9 0 0 1-4.2-4.2l1.5-1.6L7.2 3.5z',
  hangup: 'M2.5 12.5c4.5-4.3 10.5-4.3 15 0l-1.7 2-3.2-1.4v-2a9 9 0 0 0-5.2 0v2l-3.2 1.4z',
  mic: 'M10 2.5a2.2 2.2 0 0 1 2.2 2.2v4.6a2.2 2.2 0 0 1-4.4 0V4.7A2.2 2.2 0 0 1 10 2.5zM5 9a5 5 0 0 0 10 0m-5 5v3.5',
  mic_off: 'M7.8 7.8v1.5a2.2 2.2 0 0 0 3.4 1.8m1-3V4.7a2.2 2.2 0 0 0-4.2-.9M5 9a5 5 0 0 0 7.6 4.3M15 9a5 5 0 0 1-.5 2.2M10 14v3.5M3 3l14 14',
  hold: 'M7 4v12m6-12v12',
  transfer: 'M3 7h12m-3-3.5L15.5 7 12 10.5M17 13H5m3-3.5L4.5 13 8 16.5',
  keypad: 'M5 5h.01M10 5h.01M15 5h.01M5 10h.01M10 10h.01M15 10h.01M5 15h.01M10 15h.01M15 15h.01',
  video: 'M2.5 5.5h10v9h-10zm10 4 5-3v7l-5-3',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width={name === 'keypad' || name === 'more' ? 2.4 : 1.5} stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
