// The timeline drawn. The lines below it say the same to who does not see it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { span } from '../core/format';
import { locale, t } from '../i18n';
import { type BarKind, type Picture, scale, ticks } from './timeline';

const LANE = 34;
const TOP = 24; // room for a word about the answer
const AXIS = 26;
const KINDS: BarKind[] = ['setup', 'trying', 'ringing', 'waking', 'talking'];

export function TimelinePicture({ picture, label }: { picture: Picture; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  const [width, set_width] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => set_width(Math.floor(entry!.contentRect.width)));
    watch.observe(place.current!);
    return () => watch.disconnect();
  }, []);
  const used = new Set(picture.lanes.flatMap(({ bars }) => bars.map(({ kind }) => kind)));
  return (
    <figure class="timeline" ref={place}>
      {width > 0 && <Drawing picture={picture} width={width} label={label} />}
      <figcaption>{KINDS.filter((kind) => used.has(kind)).map((kind) => <span key={kind} class="legend"><svg width="14" height="10" aria-hidden="true"><rect class={`bar ${kind}`} width="14" height="10" rx="3" /></svg>{t(`bar.${kind}`)}</span>)}</figcaption>
    </figure>
  );
}

function Drawing({ picture, width, label }: { picture: Picture; width: number; label: string }) {
  const left = Math.min(120, Math.max(64, width * 0.18));
  const right = 14;
  const height = TOP + picture.lanes.length * LANE + AXIS;
  const { at, broken } = scale(picture);
  const x = (ms: number) => left + at(ms) * (width - left - right);
  const bottom = height - AXIS;
  const setup_ms = (picture.answered_ms ?? picture.end_ms) - picture.start_ms;
  const wide = Math.max(2, Math.floor((width - left) / 90));
  const axis = ticks(broken ? setup_ms : picture.end_ms - picture.start_ms, broken ? Math.ceil(wide * 0.7) : wide);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {axis.map((ms) => (
        <g key={ms} class="tick">
          <line x1={x(picture.start_ms + ms)} x2={x(picture.start_ms + ms)} y1={TOP} y2={bottom} />
          <text x={x(picture.start_ms + ms)} y={bottom + 17} text-anchor={ms === 0 ? 'start' : 'middle'}>{ms === 0 ? '0' : span(ms, locale())}</text>
        </g>
      ))}
      {broken && <text class="break" x={width - right} y={bottom + 17} text-anchor="end">{span(picture.end_ms - picture.start_ms, locale())}</text>}
      {picture.answered_ms !== null && (
        <g class="answer">
          <line x1={x(picture.answered_ms)} x2={x(picture.answered_ms)} y1={TOP - 4} y2={bottom} />
          <text x={x(picture.answered_ms)} y={TOP - 9} text-anchor={at(picture.answered_ms) > 0.8 ? 'end' : at(picture.answered_ms) < 0.2 ? 'start' : 'middle'}>{`${t('line.answered')} · ${span(setup_ms, locale())}`}</text>
        </g>
      )}
      {picture.lanes.map((lane, i) => {
        const y = TOP + i * LANE;
        return (
          <g key={lane.id} class="lane">
            {i > 0 && <line class="rule" x1="0" x2={width} y1={y} y2={y} />}
            <text x={left - 10} y={y + LANE / 2 + 4} text-anchor="end">{shortened(lane.label, left)}<title>{lane.label}</title></text>
            {lane.bars.map((bar, n) => (
              <rect key={n} class={`bar ${bar.kind}`} x={x(bar.from_ms)} y={y + 8} width={Math.max(3, x(bar.to_ms) - x(bar.from_ms))} height={LANE - 16} rx="4">
                <title>{`${t(`bar.${bar.kind}`)}: ${span(bar.to_ms - bar.from_ms, locale())}`}</title>
              </rect>
            ))}
            {lane.marks.filter(({ kind, bad }) => bad || kind === 'transfer' || kind === 'woken' || kind === 'ended').map((mark, n) => (
              <g key={n} class={`mark ${mark.bad ? 'bad' : mark.kind}`}>
                <circle cx={x(mark.at_ms)} cy={y + LANE / 2} r="5" />
                {mark.bad && mark.code && <text x={x(mark.at_ms) + (at(mark.at_ms) > 0.85 ? -8 : 8)} y={y + LANE / 2 + 4} text-anchor={at(mark.at_ms) > 0.85 ? 'end' : 'start'}>{mark.code}</text>}
                <title>{`${t(`line.${mark.kind}`)}${mark.code ? ` ${mark.code}` : ''} · ${span(mark.at_ms - picture.start_ms, locale())}`}</title>
              </g>
            ))}
          </g>
        );
      })}
    </svg>
  );
}

const shortened = (label: string, left: number) => {
  const most = Math.floor((left - 14) / 7.4);
  return label.length > most ? `${label.slice(0, most - 1)}…` : label;
};
