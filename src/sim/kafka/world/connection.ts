import type { Api } from '../../../io/kafka/messages/api.ts';
import { readResponse, requestFrame } from '../../../io/kafka/messages/frames.ts';
import type { Broker } from '../../../io/kafka/mover/ports.ts';
import type { Schedule } from '../../schedule.ts';
import type { SimProcess } from '../process.ts';
import { joined } from './requests.ts';

/** What becomes of one request on its way. `stalled`: it arrives late; `isGivenUp`: and its sender has lost the connection at once. */
export type Fate =
  | { readonly kind: 'fair' }
  | { readonly kind: 'cut-before' }
  | { readonly kind: 'cut-after' }
  | { readonly kind: 'late-answer'; readonly ms: number }
  | { readonly kind: 'stalled'; readonly ms: number; readonly isGivenUp: boolean };

/** The broker's end of a connection. */
export interface BrokerEnd {
  readonly isUp: boolean;
  /** Until then it does nothing. */
  readonly standsUntilMs: number;
  handle(frame: Uint8Array, reply: (frame: Uint8Array) => void): void;
}

export type Line = {
  readonly schedule: Schedule;
  readonly process: SimProcess;
  readonly label: string;
  readonly deadlineMs: number;
  latencyMs(): number;
  fate(): Fate;
  /** Before a request leaves its process: it may die here. */
  sending(frame: Uint8Array): void;
  /** Before an answer reaches its process. Frames are without their length. */
  answering(request: Uint8Array, response: Uint8Array): void;
  /** A request is performed that nobody waits for any more. */
  arrivedLate(frame: Uint8Array, late: Late): void;
};

/** `isTooLate`: its process is dead for longer than a successor waits. `givenUpMs`: for so long its sender has not waited for it. */
export type Late = { readonly isTooLate: boolean; readonly givenUpMs: number };

type Pending = { readonly answer: (frame: Uint8Array) => void; readonly reject: (error: Error) => void };

/**
 * One connection of one process to one broker: bytes in both directions, in order. A broker takes one request at a time from it. What was sent
 * arrives even where its sender has died or has given the connection up, unless the connection itself was cut.
 */
export class SimConnection implements Broker {
  readonly #line: Line;
  readonly #broker: BrokerEnd;
  readonly #pending: Pending[] = [];
  readonly #arrived: { readonly frame: Uint8Array; readonly fate: Fate; readonly sentMs: number }[] = [];
  #correlationId = 0;
  #arrivesAtMs = 0;
  #answeredAtMs = 0;
  #isBusy = false;
  #isCut = false;
  #ended: string | null = null;
  #endedAtMs: number | null = null;

  constructor(line: Line, broker: BrokerEnd) {
    this.#line = line;
    this.#broker = broker;
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    limits: { readonly deadlineMs?: number; readonly sendBeforeMs?: number } = {},
  ): Promise<Response> {
    const { schedule, process, label, deadlineMs } = this.#line;
    if (process.isDead) return new Promise(() => undefined);
    if (this.#ended !== null) return Promise.reject(new Error(this.#ended));
    if (schedule.nowMs >= (limits.sendBeforeMs ?? Number.POSITIVE_INFINITY))
      return Promise.reject(new Error(`${label}: ${api.name} was not sent, it was too late to`));
    this.#correlationId += 1;
    const frame = joined(requestFrame(api, api.newest, this.#correlationId, 'drover', request));
    this.#line.sending(frame.subarray(4));
    return new Promise((resolve, reject) => {
      if (process.isDead) return;
      const answer = (response: Uint8Array) => resolve(readResponse(api, api.newest, response));
      const pending = { answer, reject };
      this.#pending.push(pending);
      process.after(limits.deadlineMs ?? deadlineMs, () => {
        if (this.#pending.includes(pending)) this.#end(`no answer to ${api.name} within ${deadlineMs} ms`);
      });
      this.#send(frame, this.#line.fate());
    });
  }

  /** Whoever reads it all the same, or sends it, does so in vain. */
  release(response: Uint8Array): void {
    response.fill(0xee);
  }

  close(): Promise<void> {
    this.#end('it was closed');
    return Promise.resolve();
  }

  /** The broker is gone: nothing that it had not answered will be. */
  cut(why: string): void {
    this.#isCut = true;
    this.#arrived.length = 0;
    const { schedule, process } = this.#line;
    schedule.after(this.#line.latencyMs(), () => process.enter(() => this.#end(why)));
  }

  #send(frame: Uint8Array, fate: Fate): void {
    const { schedule, process } = this.#line;
    const latencyMs = this.#line.latencyMs();
    if (fate.kind === 'cut-before') {
      this.cut('the connection was reset');
      return;
    }
    const sentMs = schedule.nowMs;
    const stalledMs = fate.kind === 'stalled' ? fate.ms : 0;
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, schedule.nowMs + latencyMs + stalledMs);
    schedule.at(this.#arrivesAtMs, () => {
      if (this.#isCut) return;
      this.#arrived.push({ frame, fate, sentMs });
      this.#work();
    });
    if (fate.kind === 'stalled' && fate.isGivenUp)
      schedule.after(latencyMs, () => process.enter(() => this.#end('the connection was reset')));
  }

  #work(): void {
    const { schedule } = this.#line;
    if (this.#isBusy || this.#isCut || this.#arrived.length === 0) return;
    if (!this.#broker.isUp) {
      this.cut('the broker is not there');
      return;
    }
    if (schedule.nowMs < this.#broker.standsUntilMs) {
      schedule.at(this.#broker.standsUntilMs, () => this.#work());
      return;
    }
    const next = this.#arrived.shift();
    if (next === undefined) return;
    this.#isBusy = true;
    const { isDead } = this.#line.process;
    if (isDead || this.#ended !== null) {
      const isTooLate = isDead && schedule.nowMs - next.sentMs > this.#line.deadlineMs;
      this.#line.arrivedLate(next.frame, {
        isTooLate,
        givenUpMs: schedule.nowMs - (this.#endedAtMs ?? schedule.nowMs),
      });
    }
    this.#broker.handle(next.frame, (response) => {
      if (this.#isCut) return;
      this.#isBusy = false;
      this.#answer(next.frame, response, next.fate);
      this.#work();
    });
  }

  #answer(request: Uint8Array, response: Uint8Array, fate: Fate): void {
    const { schedule, process } = this.#line;
    if (fate.kind === 'cut-after') {
      this.cut('the connection was reset');
      return;
    }
    const lateMs = fate.kind === 'late-answer' ? fate.ms : 0;
    this.#answeredAtMs = Math.max(this.#answeredAtMs, schedule.nowMs + this.#line.latencyMs() + lateMs);
    schedule.at(this.#answeredAtMs, () =>
      process.enter(() => {
        if (this.#ended !== null) return;
        this.#line.answering(request.subarray(4), response);
        this.#pending.shift()?.answer(response);
      }),
    );
  }

  #end(why: string): void {
    if (this.#ended !== null) return;
    this.#ended = `${this.#line.label}: ${why}`;
    this.#endedAtMs = this.#line.schedule.nowMs;
    for (const { reject } of this.#pending.splice(0)) reject(new Error(this.#ended));
  }
}
