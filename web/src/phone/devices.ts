// Microphones, loudspeakers, cameras: which there are, and which were chosen (kept for the next visit).
export interface Choice {
  mic: string;
  speaker: string;
  camera: string;
}

export type Kind = keyof Choice;

export const DEVICE_KINDS: Record<Kind, MediaDeviceKind> = { mic: 'audioinput', speaker: 'audiooutput', camera: 'videoinput' };
const KEPT_AS = 'belfry.devices';

export function kept_choice(): Choice {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT_AS) ?? '{}') as Partial<Choice>;
    return { mic: String(kept.mic ?? ''), speaker: String(kept.speaker ?? ''), camera: String(kept.camera ?? '') };
  } catch {
    return { mic: '', speaker: '', camera: '' };
  }
}

export const keep_choice = (choice: Choice): void => localStorage.setItem(KEPT_AS, JSON.stringify(choice));

/** The choice without what is not plugged in now. */
export async function present(choice: Choice): Promise<Choice> {
  const there = (await navigator.mediaDevices.enumerateDevices()).map(({ deviceId }) => deviceId);
  const of = (id: string) => (there.includes(id) ? id : '');
  return { mic: of(choice.mic), speaker: of(choice.speaker), camera: of(choice.camera) };
}

/** What a call asks of the browser. Exactly the chosen device: what is merely ideal Chromium passes over for its default microphone. */
export function constraints(choice: Choice, video: boolean): MediaStreamConstraints {
  const of = (id: string) => (id ? { deviceId: { exact: id } } : {});
  return {
    audio: { ...of(choice.mic), echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    video: video ? { ...of(choice.camera), width: { ideal: 1280 }, height: { ideal: 720 } } : false,
  };
}
