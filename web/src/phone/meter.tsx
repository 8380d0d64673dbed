// How loud it is, drawn with each frame and without rendering anything again.
import { useEffect, useRef } from 'preact/hooks';
import { level_of } from './sound';

export function Meter({ stream, label }: { stream: MediaStream | null; label: string }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!stream || stream.getAudioTracks().length === 0) return;
    const meter = level_of(stream);
    let shown = 0;
    let frame = 0;
    const draw = () => {
      shown = Math.max(meter.level(), shown * 0.9);
      if (bar.current) {
        bar.current.style.setProperty('--level', shown.toFixed(3));
        bar.current.dataset['level'] = shown.toFixed(2);
      }
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => {
      cancelAnimationFrame(frame);
      meter.close();
    };
  }, [stream]);
  return <div class="meter"><span>{label}</span><div class="meter-bar" ref={bar} aria-hidden="true" /></div>;
}
