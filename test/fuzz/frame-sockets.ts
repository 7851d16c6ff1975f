import type { RunSocket } from '../../lib/adapters/alpaca/socket-runner.ts';
import {
  type DrivenSocket,
  driveConnection,
  type EmitSocketEvent,
} from '../../lib/engine/connection-driver.ts';

/** A server's end of one connection, without a wire in between. */
export type ServerEnd = {
  authenticate(): void;
  subscribe(channels: readonly string[], symbols: readonly string[]): void;
  ping(): void;
  close(politely: boolean): void;
};

/** The client's end of it, as the server sees it. */
export type ClientEnd = {
  opened(): void;
  refused(status: number): void;
  frame(bytes: Buffer, isBinary: boolean): void;
  ponged(): void;
  gone(text: string): void;
};

/** Runs a feed's own dialect and connection machine as `runSocket` does, frame by frame, on simulated connections. */
export function frameSockets(connect: (client: ClientEnd) => ServerEnd): RunSocket {
  return (dialect, options) => {
    const open = (emit: EmitSocketEvent): DrivenSocket => {
      let dropped = false;
      const server = connect({
        opened: () => emit({ kind: 'opened' }),
        refused: (status) => emit({ kind: 'upgradeRefused', status }),
        ponged: () => emit({ kind: 'ponged' }),
        gone: (text) => emit({ kind: 'lost', text }),
        frame(bytes, isBinary) {
          if (dropped) return;
          try {
            dialect.onFrame(bytes, isBinary, emit);
          } catch (error) {
            options.onFault(error);
          }
        },
      });
      return {
        authenticate() {
          dialect.authenticate();
          server.authenticate();
        },
        subscribe(channels, symbols) {
          dialect.subscribe(channels, symbols);
          server.subscribe(channels, symbols);
        },
        ping: () => server.ping(),
        drop(politely) {
          dropped = true;
          server.close(politely);
        },
      };
    };
    const connection = driveConnection({
      ...options,
      open,
      whenRead: (task) => task(),
      onStatus: (status) => options.onStatus({ ...status, detail: options.redact(status.detail) }),
    });
    return {
      start: connection.start,
      async close() {
        connection.close();
      },
    };
  };
}
