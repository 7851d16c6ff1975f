import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

/** What the next request is answered with: bytes of a whole HTTP answer, or none; then the connection ends. */
export type RawAnswer = { readonly bytes: Buffer; readonly after: 'end' | 'reset' | 'silence' };

export type AnswerServer = {
  readonly url: string;
  /** Answers every request from now on. */
  answer(next: RawAnswer): void;
  requests(): number;
  close(): Promise<void>;
};

/** A server that says exactly the bytes it is told to, so that heads can be as broken as bodies. */
export async function startAnswerServer(): Promise<AnswerServer> {
  let next: RawAnswer = { bytes: Buffer.alloc(0), after: 'end' };
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let received = '';
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!isWhole(received)) return;
      received = '';
      requests += 1;
      if (next.after === 'reset') socket.resetAndDestroy();
      else if (next.after === 'end') socket.end(next.bytes);
      else socket.write(next.bytes);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer(told) {
      next = told;
    },
    requests: () => requests,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isWhole(request: string): boolean {
  const end = request.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /content-length: *(\d+)/i.exec(request.slice(0, end))?.[1] ?? '0';
  return request.length >= end + 4 + Number(length);
}
