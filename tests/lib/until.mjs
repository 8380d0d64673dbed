// Waiting without sleeping blindly: a condition, a deadline, and a name for what is awaited.
//
// until(condition, {deadline_ms, what, every_ms})   polls until `condition()` gives something truthy, and gives it back.
//     A condition that throws counts as "not yet"; the last error is told when the deadline passes.
// within(promise, {deadline_ms, what})              the promise's value, or an error that names what did not come.
// elapsed()                                         a stopwatch: call what it returns for the milliseconds since.
import { setTimeout as delay } from 'node:timers/promises';

export class DeadlineError extends Error {
  constructor(what, deadline_ms, last) {
    super(`${what}: not within ${deadline_ms} ms${last ? ` (${last.message ?? last})` : ''}`, { cause: last });
    this.name = 'DeadlineError';
  }
}

export function elapsed() {
  const start = performance.now();
  return () => performance.now() - start;
}

export async function until(condition, { deadline_ms = 10_000, what = 'condition', every_ms = 20 } = {}) {
  const time = elapsed();
  let last;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (time() > deadline_ms) throw new DeadlineError(what, deadline_ms, last);
    await delay(every_ms);
  }
}

export async function within(promise, { deadline_ms = 10_000, what = 'answer' } = {}) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(what, deadline_ms)), deadline_ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
