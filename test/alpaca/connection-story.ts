import { type Micros, micros } from '../../lib/domain/time.ts';
import { openConnection, reduceConnection } from '../../lib/engine/connection.ts';
import {
  type Connection,
  type ConnectionCommand,
  type ConnectionEvent,
  dataPolicy,
} from '../../lib/engine/connection-types.ts';

export const POLICY = dataPolicy(1);
export const WANTED = { symbols: ['AAPL', 'SPY', 'IBM'], required: ['trades', 'bars'], optional: ['lulds'] };
export const START = micros(1_790_000_000_000_000);

export const at = (offset: number): Micros => micros(START + offset * 1_000_000);

export type Bare = ConnectionEvent extends infer E
  ? E extends ConnectionEvent
    ? Omit<E, 'at' | 'random'>
    : never
  : never;

/** Feeds events to a machine, for tests that tell a story. */
export class Story {
  state: Connection;
  commands: readonly ConnectionCommand[] = [];

  constructor(state: Connection = openConnection(POLICY, WANTED)) {
    this.state = state;
  }

  tell(offset: number, event: Bare, random = 0.5): this {
    [this.state, this.commands] = reduceConnection(this.state, {
      ...event,
      at: at(offset),
      random,
    } as ConnectionEvent);
    return this;
  }

  wake(offset: number, heardAt: Micros | null = null, dueSince: Micros | null = null, random = 0.5): this {
    return this.tell(offset, { kind: 'woke', heardAt, dueSince }, random);
  }

  get kinds(): readonly string[] {
    return this.commands.map((c) => (c.kind === 'status' ? `status ${c.status.state}` : c.kind));
  }

  get asked(): readonly string[] {
    const command = this.commands.find((c) => c.kind === 'subscribe');
    return command?.kind === 'subscribe' ? command.symbols : [];
  }

  get detail(): string {
    const command = this.commands.find((c) => c.kind === 'status');
    return command?.kind === 'status' ? command.status.detail : '';
  }
}

export const channelsOf = (symbols: readonly string[]) => ({ trades: symbols, bars: symbols, dailyBars: [] });

export function live(story: Story = new Story(), from = 0): Story {
  const first = story.state.kind === 'idle' ? story.tell(from, { kind: 'started' }) : story;
  const socket = first.state.socket;
  return first
    .tell(from, { kind: 'opened', socket })
    .tell(from, { kind: 'authenticated', socket })
    .tell(from, { kind: 'confirmed', socket, channels: channelsOf(first.state.wanted.symbols) });
}
