import type { WebSocket } from 'ws';
import type { ConnectFault } from '../../sim/faults.ts';

/** The line to one client: frames in order, bounded, and mute when a fault says so. */
export type SocketLine = {
  put(frame: string | Buffer): void;
  /** From now on nothing goes out, though pings are still answered. */
  mute(): void;
};

export type SocketLineOptions = {
  readonly ws: WebSocket;
  /** Text leaves in binary frames too. */
  readonly binary: boolean;
  /** Bytes that may wait for a slow client before it is given up. */
  readonly bufferedMax: number;
  readonly onSlow: () => void;
};

/** Runs a task so many microseconds of exchange time later. */
export type Later = (delay: number, task: () => void) => void;

export function openLine({ ws, binary, bufferedMax, onSlow }: SocketLineOptions): SocketLine {
  let muted = false;
  return {
    mute: () => {
      muted = true;
    },
    put: (frame) => {
      if (muted || ws.readyState !== ws.OPEN) return;
      if (ws.bufferedAmount > bufferedMax) {
        muted = true;
        onSlow();
      } else ws.send(frame, { binary: binary || typeof frame !== 'string' });
    },
  };
}

/** What a connection fault does to a socket that was let in. `giveUp` is how this door drops a slow client. */
export function strikeLine(
  fault: ConnectFault,
  line: SocketLine,
  ws: WebSocket,
  later: Later,
  giveUp: () => void,
): void {
  switch (fault.kind) {
    case 'silent':
      line.mute();
      return;
    case 'mute':
      later(fault.after, line.mute);
      return;
    case 'close':
      later(fault.after, () => ws.close(GOING_AWAY));
      return;
    case 'slowClient':
      later(fault.after, giveUp);
      return;
    // Refused connections never get here; a taken slot is told at the authentication.
    case 'accept':
    case 'refuse':
    case 'slotTaken':
  }
}

/** RFC 6455: the endpoint is going away; and: no close frame was received. */
export const GOING_AWAY = 1001;
export const ABNORMAL = 1006;

/** Neither JSON nor MessagePack: 0xc1 is the one byte that MessagePack never uses. */
export const GARBAGE = Buffer.from([0xc1, 0x00, 0xff, 0x7b]);
