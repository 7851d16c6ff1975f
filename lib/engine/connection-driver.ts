import { unreachable } from '../domain/invariant.ts';
import type { Micros } from '../domain/time.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { FeedStatus } from '../ports/feeds.ts';
import { openConnection, reduceConnection, wakeAt } from './connection.ts';
import type {
  Connection,
  ConnectionCommand,
  ConnectionEvent,
  ConnectionPolicy,
  Wanted,
} from './connection-types.ts';

/** What happened on a socket, without the instant, the random number and the socket's number that the driver adds. */
export type SocketEvent = WithoutStamp<Extract<ConnectionEvent, { readonly socket: number }>>;
type WithoutStamp<E> = E extends ConnectionEvent ? Omit<E, 'at' | 'random' | 'socket'> : never;

export type EmitSocketEvent = (event: SocketEvent) => void;

/** One attempt to be connected, and what came of it. It tells nothing from inside one of these calls. */
export type DrivenSocket = {
  authenticate(): void;
  subscribe(channels: readonly string[], symbols: readonly string[]): void;
  ping(): void;
  /** Ends it, with a close frame when `politely`. Nothing that it still brings is read. */
  drop(politely: boolean): void;
};

/** Where a connection machine lives: on real sockets, or on simulated ones and virtual time. */
export type ConnectionHost = {
  readonly policy: ConnectionPolicy;
  readonly wanted: Wanted;
  readonly clock: Clock;
  /** 0 to 1, 1 excluded; draws the pauses between attempts. */
  random(): number;
  /** Begins a connection; `emit` is called later, never from inside this call. */
  open(emit: EmitSocketEvent): DrivenSocket;
  /** Runs `task` once everything that had arrived by now was read: a late pong is no missing pong. */
  whenRead(task: () => void): void;
  onStatus(status: FeedStatus): void;
  /** The last message of the market; `null` when none has come. Only asked where the policy watches for silence. */
  heardAt(): Micros | null;
  /** Since when data are due, `null` while none are. */
  dueSince(at: Micros): Micros | null;
  /** An exception out of a handler: it ends neither the socket nor the frame. */
  onFault(error: unknown): void;
};

export type DrivenConnection = {
  /** A second start does nothing. */
  start(): void;
  close(): void;
};

/** Executes a connection machine's commands. One socket at a time; a dropped one is deaf from that moment. */
export function driveConnection(host: ConnectionHost): DrivenConnection {
  let state: Connection = openConnection(host.policy, host.wanted);
  let current: { readonly number: number; readonly socket: DrivenSocket } | null = null;
  let timer: Timer | null = null;
  let started = false;

  const dispatch = (event: ConnectionEvent): void => {
    const [next, commands] = reduceConnection(state, event);
    state = next;
    for (const command of commands) {
      try {
        execute(command);
      } catch (error) {
        host.onFault(error);
      }
    }
    arm();
  };

  const stamp = () => ({ at: host.clock.now(), random: host.random() });

  const arm = (): void => {
    timer?.cancel();
    const at = wakeAt(state);
    timer = at === null ? null : host.clock.at(at, () => host.whenRead(wake));
  };

  const wake = (): void => {
    if (state.kind === 'closed') return;
    const { at, random } = stamp();
    dispatch({ kind: 'woke', at, random, heardAt: host.heardAt(), dueSince: host.dueSince(at) });
  };

  const execute = (command: ConnectionCommand): void => {
    switch (command.kind) {
      case 'open':
        open(command.socket);
        break;
      case 'authenticate':
        current?.socket.authenticate();
        break;
      case 'subscribe':
        current?.socket.subscribe(command.channels, command.symbols);
        break;
      case 'ping':
        current?.socket.ping();
        break;
      case 'drop':
        drop(command.socket, command.politely);
        break;
      case 'status':
        host.onStatus(command.status);
        break;
      default:
        unreachable(command);
    }
  };

  const open = (number: number): void => {
    const socket = host.open((event) => {
      if (current?.number === number) dispatch({ ...event, ...stamp(), socket: number } as ConnectionEvent);
    });
    current = { number, socket };
  };

  const drop = (number: number, politely: boolean): void => {
    if (current?.number !== number) return;
    const { socket } = current;
    current = null;
    socket.drop(politely);
  };

  return {
    start(): void {
      if (started) return;
      started = true;
      dispatch({ kind: 'started', ...stamp() });
    },
    close: () => dispatch({ kind: 'closeAsked', ...stamp() }),
  };
}
