import type { LaunchedMover, MoverMachine } from '../../io/kafka/channel/controllers-end.ts';
import type { FromMover } from '../../io/kafka/channel/messages.ts';
import { type MoverHost, MoversEnd } from '../../io/kafka/channel/movers-end.ts';
import type { ControllerProcess } from '../controller-process.ts';
import { SimProcess } from '../kafka/process.ts';
import type { Random } from '../random.ts';
import type { Schedule } from '../schedule.ts';
import { SimMover } from './mover.ts';
import type { CopyFault, CopyScenario } from './scenario.ts';
import type { SimTarget, SimTopic } from './target.ts';

export type MoversWorld = {
  readonly schedule: Schedule;
  readonly scenario: CopyScenario;
  readonly target: SimTarget;
  /** How many each topic of the source has by now. */
  readonly sourcePartitions: ReadonlyMap<string, number>;
  readonly random: Random;
  readonly strikes: (fault: CopyFault) => boolean;
  readonly note: (text: string) => void;
  readonly sending: (child: Child, topic: SimTopic) => void;
  readonly hosted: (host: MoverHost) => MoverHost;
};

/** A controller process, as the machine has it. */
type Owner = Pick<ControllerProcess<unknown>, 'holder' | 'deliver'>;

/** One process that moves data, or did. */
export type Child = {
  readonly number: number;
  readonly process: SimProcess;
  /** Whose it is. */
  readonly holder: string;
  /** The longest that a word to it or of it was on its way. */
  wordsMsMax: number;
};

/** What a ledger on the disk says of one partition; offsets are the same on both sides. */
export type SimLedger = { end: number; readonly unproven: { readonly from: number; readonly to: number }[] };

/** All processes that move data for the copy, on the machine that its controllers are on too. */
export class SimMovers {
  readonly children: Child[] = [];
  /** By the id of the topic of the target, and the partition. */
  readonly ledgers = new Map<string, SimLedger>();
  sentBytes = 0;
  readonly #world: MoversWorld;
  readonly #ends = new Map<Child, MoversEnd>();
  readonly #exits = new Map<Child, (how: string) => void>();
  /** Who wrote to the ledgers last, as the file beside them says. */
  #previous: Child | null = null;

  constructor(world: MoversWorld) {
    this.#world = world;
  }

  ledger(topicId: string, partition: number): SimLedger {
    const key = `${topicId}/${partition}`;
    const found = this.ledgers.get(key) ?? { end: 0, unproven: [] };
    this.ledgers.set(key, found);
    return found;
  }

  living(): Child[] {
    return this.children.filter(({ process }) => !process.isDead);
  }

  kill(child: Child, how: string): void {
    if (child.process.isDead) return;
    this.#world.note(`${child.process.name} ${how}`);
    this.#exits.get(child)?.('it was ended by SIGKILL');
  }

  /** The controller is gone, and its end of the channel with it. */
  orphan(holder: string): void {
    for (const child of this.living().filter((one) => one.holder === holder))
      child.process.after(1, () => this.#obeyed(child, this.#ends.get(child)?.stop()));
  }

  /** As the controller's end has it. */
  machineOf(controller: Owner): MoverMachine {
    const { schedule } = this.#world;
    return {
      clockNs: () => nanoseconds(schedule.nowMs),
      after: (ms, run) => {
        const planned = schedule.after(ms, () => controller.deliver(run));
        return () => {
          planned.cancelled = true;
        };
      },
      launch: (heard, over) => this.#launch(controller, heard, over),
    };
  }

  #launch(controller: Owner, heard: (message: FromMover) => void, over: (how: string) => void): LaunchedMover {
    const { schedule, note } = this.#world;
    const number = this.children.length + 1;
    const process = new SimProcess(`mover ${number}`, schedule, 0);
    const child: Child = { number, process, holder: controller.holder, wordsMsMax: 0 };
    this.children.push(child);
    note(`${controller.holder} starts ${process.name}`);
    const [there, back] = [new Wire(schedule), new Wire(schedule)];
    const wayMs = () => this.#wayMs(child);
    const exit = (how: string) => {
      if (process.isDead) return;
      process.die();
      back.carry(wayMs(), () => controller.deliver(() => over(how)));
    };
    this.#exits.set(child, exit);
    const tell = (message: FromMover) => {
      if (!process.isDead) back.carry(wayMs(), () => controller.deliver(() => heard(message)));
    };
    const end = this.#endOf(child, tell, exit);
    this.#ends.set(child, end);
    return {
      send: (message) => there.carry(wayMs(), () => process.enter(() => this.#obeyed(child, end.obey(message)))),
      kill: () => this.kill(child, 'is killed by its controller'),
    };
  }

  #endOf(child: Child, tell: (message: FromMover) => void, exit: (how: string) => void): MoversEnd {
    const { schedule, scenario, random, strikes } = this.#world;
    const { process } = child;
    const host: MoverHost = {
      clockNs: () => nanoseconds(schedule.nowMs),
      every(ms, run) {
        let isOver = false;
        const again = () =>
          process.after(ms, () => {
            if (isOver) return;
            run();
            again();
          });
        again();
        return () => {
          isOver = true;
        };
      },
      endPrevious: async () => {
        const previous = this.#previous;
        if (previous !== null) this.kill(previous, `is ended by ${process.name}`);
        this.#previous = child;
        await new Promise<void>((resolve) => process.after(random.integer(1, 20), resolve));
        return previous === null;
      },
      forget: () => {
        this.#previous = null;
      },
      start: async (beginning, wasSettled, leaseEndsNs, tellNow) => {
        await new Promise<void>((resolve) => process.after(Math.round(random.spread(20, 4000)), resolve));
        if (strikes('mover-cannot-start')) throw new Error('the source cannot be reached');
        const leaseLeftMs = () => Number(leaseEndsNs() - nanoseconds(schedule.nowMs)) / 1e6;
        const around = { ...this.#world, movers: this, random, scenario };
        return new SimMover(child, around, beginning, { wasSettled, leaseLeftMs, tell: tellNow });
      },
      tell,
      leave(message) {
        tell(message);
        exit('it ended with exit status 0');
      },
    };
    return new MoversEnd(this.#world.hosted(host));
  }

  #obeyed(child: Child, work: Promise<void> | undefined): void {
    work?.catch((error: unknown) => {
      this.#exits.get(child)?.(error instanceof Error ? error.message : String(error));
    });
  }

  #wayMs(child: Child): number {
    const { random, strikes } = this.#world;
    const ms = strikes('late-words') ? random.integer(50, 4000) : 1;
    child.wordsMsMax = Math.max(child.wordsMsMax, ms);
    return ms;
  }
}

/** What is sent first arrives first. */
class Wire {
  readonly #schedule: Schedule;
  #lastAtMs = 0;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  carry(ms: number, arrive: () => void): void {
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#schedule.nowMs + ms);
    this.#schedule.at(this.#lastAtMs, arrive);
  }
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}
