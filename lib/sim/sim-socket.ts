import { after, type Duration, type Micros } from '../domain/time.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { FrameMatch, Stream } from './fault-types.ts';
import type { ConnectFault, Faults, FrameFault } from './faults.ts';

/**
 * Connections on virtual time: what the loopback doors do with sockets, done with calls. A frame is a value; whether it can
 * be read is a kind of its own.
 *
 * 1. The client is called back from the clock or from inside the exchange's `advanceTo`, never from inside its own calls.
 * 2. A connection that has ended on one side brings nothing more to the other.
 * 3. Nothing waits on the clock for a connection that has ended.
 */
export type ClientEnd<Request> = {
  send(request: Request): void;
  ping(): void;
  /** With a close frame, or as a line that breaks. */
  close(politely: boolean): void;
};

export type ClientEvents<Frame> = {
  onOpen(): void;
  /** The upgrade was answered with this status. */
  onRefused(status: number): void;
  onFrame(frame: Frame): void;
  onPong(): void;
  onGone(text: string): void;
};

/** The server's end of one connection. */
export type Line<Frame> = {
  /** Sends at once, unless the line is mute or gone. */
  put(frame: Frame): void;
  /** From now on nothing goes out, though pings are still answered. */
  mute(): void;
  /** Ends it: with a close frame, or as a line that breaks. */
  end(politely: boolean, text: string): void;
  /** Runs `task` so much later, unless the connection has ended by then. */
  later(wait: Duration, task: () => void): Timer;
};

/** What a door makes of one connection. */
export type Session<Request> = {
  onRequest(request: Request): void;
  /** `clean`: a close frame was exchanged. */
  onEnd(clean: boolean): void;
  /** The client reads too slowly: how this door gets rid of it. */
  giveUp(): void;
};

export type Listener<Request, Frame> = {
  connect(events: ClientEvents<Frame>): ClientEnd<Request>;
  /** Breaks every connection. */
  drop(): void;
  /** Nobody gets in before that. */
  refuseUntil(at: Micros): void;
};

export type ListenerOptions<Request, Frame> = {
  readonly clock: Clock;
  readonly stream: Stream;
  readonly faults: Faults | null;
  /** From a request, an upgrade or a ping to its answer. */
  readonly answerTime: Duration;
  /** Makes the session of a client that was let in. */
  accept(line: Line<Frame>, fault: ConnectFault): Session<Request>;
};

/** The status that answers a connection too many on a socket that has no frame for it. */
const TOO_MANY = 429;

export function createListener<Request, Frame>(
  options: ListenerOptions<Request, Frame>,
): Listener<Request, Frame> {
  const { clock, stream, faults, answerTime } = options;
  const lines = new Set<Line<Frame>>();
  let closedUntil = clock.now();

  function upgrade(connection: Connection<Request, Frame>, events: ClientEvents<Frame>): void {
    if (clock.now() < closedUntil) {
      connection.end(false, 'connection failed: refused');
      return;
    }
    const fault: ConnectFault = faults?.onConnect(stream, clock.now()) ?? { kind: 'accept' };
    if (fault.kind === 'refuse') {
      connection.end(false, 'connection failed: reset');
      return;
    }
    // The order stream knows no frame for a connection too many: it is refused as a request too many.
    if (fault.kind === 'slotTaken' && stream === 'trading') {
      connection.refuse(TOO_MANY);
      return;
    }
    events.onOpen();
    // The client may have left again while it was told.
    if (connection.isGone()) return;
    if (fault.kind === 'silent') {
      connection.mute();
      return;
    }
    const session = options.accept(connection, fault);
    connection.serve(session);
    strike(fault, connection, session);
  }

  return {
    connect(events) {
      const connection = connectionOf<Request, Frame>(clock, answerTime, events, () =>
        lines.delete(connection),
      );
      lines.add(connection);
      connection.later(answerTime, () => upgrade(connection, events));
      return connection.client;
    },
    drop() {
      for (const line of [...lines]) line.end(false, 'connection failed: reset');
    },
    refuseUntil(at) {
      if (at > closedUntil) closedUntil = at;
    },
  };
}

/** What a connection fault does to a connection that was let in. */
function strike<Request, Frame>(fault: ConnectFault, line: Line<Frame>, session: Session<Request>): void {
  switch (fault.kind) {
    case 'mute':
      line.later(fault.after as Duration, () => line.mute());
      return;
    case 'close':
      line.later(fault.after as Duration, () => line.end(true, 'closed by the other side (code 1001)'));
      return;
    case 'slowClient':
      line.later(fault.after as Duration, () => session.giveUp());
      return;
    // Refused and silent connections never get here; a taken slot is told at the authentication.
    case 'accept':
    case 'refuse':
    case 'silent':
    case 'slotTaken':
  }
}

/** What a fault of the line makes of one frame: how it goes out, if it does. */
export function suffer<Frame>(
  faults: Faults | null,
  stream: Stream,
  about: { readonly match: FrameMatch; readonly at: Micros },
  frames: { readonly whole: Frame; readonly unknown: () => Frame; readonly garbage: () => Frame },
  line: Line<Frame>,
): void {
  const fault: FrameFault = faults?.onFrame(stream, about.match, about.at) ?? { kind: 'pass' };
  switch (fault.kind) {
    case 'pass':
      line.put(frames.whole);
      return;
    case 'drop':
      return;
    case 'duplicate':
      for (let copy = 0; copy <= fault.extra; copy += 1) line.put(frames.whole);
      return;
    case 'delay':
      line.later(fault.delay as Duration, () => line.put(frames.whole));
      return;
    case 'unknownEvent':
      line.put(frames.unknown());
      return;
    case 'garbage':
      line.put(frames.garbage());
  }
}

const NOTHING: Timer = { cancel: () => undefined };

type Connection<Request, Frame> = Line<Frame> & {
  readonly client: ClientEnd<Request>;
  serve(session: Session<Request>): void;
  refuse(status: number): void;
  isGone(): boolean;
};

function connectionOf<Request, Frame>(
  clock: Clock,
  answerTime: Duration,
  events: ClientEvents<Frame>,
  onEnd: () => void,
): Connection<Request, Frame> {
  const timers = new Set<Timer>();
  let session: Session<Request> | null = null;
  let muted = false;
  let gone = false;

  function finish(clean: boolean): boolean {
    if (gone) return false;
    gone = true;
    for (const timer of timers) timer.cancel();
    timers.clear();
    onEnd();
    session?.onEnd(clean);
    return true;
  }

  function later(wait: Duration, task: () => void): Timer {
    if (gone) return NOTHING;
    const timer = clock.at(after(clock.now(), wait), () => {
      timers.delete(timer);
      task();
    });
    timers.add(timer);
    return timer;
  }

  return {
    later,
    put(frame) {
      if (!muted && !gone) events.onFrame(frame);
    },
    mute() {
      muted = true;
    },
    end(politely, text) {
      if (finish(politely)) events.onGone(text);
    },
    refuse(status) {
      if (finish(true)) events.onRefused(status);
    },
    serve(served) {
      session = served;
    },
    isGone: () => gone,
    client: {
      send: (request) => void later(answerTime, () => session?.onRequest(request)),
      ping: () => void later(answerTime, () => events.onPong()),
      close: (politely) => void finish(politely),
    },
  };
}
