// The tenant's events over a WebSocket (`/v1/events`): connected again after cuts, going on behind the last event seen.
//
// `state` says whether what is shown moves: live, or why not. After `gap` (too long away) what is shown has to be read anew.
export interface BelfryEvent {
  id: string;
  type: string;
  time: string;
  call_id?: string;
  seq?: number;
  data: Record<string, unknown>;
}

export type EventsState = 'connecting' | 'live' | 'waiting' | 'refused';

export interface EventsOptions {
  /** Asked for before each connection. */
  token: () => Promise<string>;
  event: (event: BelfryEvent) => void;
  /** Everything before was told; with `gap` something was not. */
  ready: (gap: boolean) => void;
  state: (state: EventsState) => void;
}

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 15_000;
const REFUSED = new Set([4401, 4403]); // connecting again would not help

/** Pure: how long to wait before the nth try. */
export function pause_ms(tries: number, random: number): number {
  return Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** Math.min(tries, 10)) * (0.75 + random / 2);
}

export class Events {
  private socket: WebSocket | null = null;
  private timer = 0;
  private tries = 0;
  private last: string | null = null;
  private gap = true; // at first nothing is known
  private closed = false;

  constructor(private readonly options: EventsOptions) {
    void this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private async connect(): Promise<void> {
    this.options.state('connecting');
    let token: string;
    try {
      token = await this.options.token();
    } catch {
      return this.cut(1006);
    }
    if (this.closed) return;
    const url = new URL('/v1/events', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    if (this.last) url.searchParams.set('after', this.last);
    this.socket = new WebSocket(url, ['belfry.v1', `token.${token}`]);
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(String(data)) as BelfryEvent);
    this.socket.onclose = ({ code }) => this.cut(code);
  }

  private take(message: BelfryEvent): void {
    if (message.type === 'replay_gap') this.gap = true;
    if (message.type === 'ready') {
      this.tries = 0;
      this.options.state('live');
      this.options.ready(this.gap);
      this.gap = false;
    }
    if (!message.type.includes('.')) return;
    this.last = message.id;
    this.options.event(message);
  }

  private cut(code: number): void {
    if (this.closed) return;
    if (REFUSED.has(code)) return this.options.state('refused');
    this.options.state('waiting');
    this.timer = window.setTimeout(() => void this.connect(), pause_ms(this.tries++, Math.random()));
  }
}
