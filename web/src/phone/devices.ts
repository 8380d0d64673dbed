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

/** What a call asks of the browser: the chosen device when it is there, else any. */
export function constraints(choice: Choice, video: boolean): MediaStreamConstraints {
  const of = (id: string) => (id ? { deviceId: { ideal: id } } : {});
  return {
    audio: { ...of(choice.mic), echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    video: video ? { ...of(choice.camera), width: { ideal: 1280 }, height: { ideal: 720 } } : false,
  };
}
