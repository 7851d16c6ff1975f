import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import {
  createHttpLines,
  type HttpLines,
  type HttpLinesOptions,
  pauseMillis,
} from '../../lib/adapters/alpaca/http-lines.ts';
import { loopbackCertificate } from '../conformance/certificate.ts';

const PATIENCE_MILLIS = 60_000;
const request = (name: string): string => `DELETE /${name} HTTP/1.1\r\nhost: x\r\n\r\n`;
const answerOf = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

/** One server that keeps count, and lets the test answer. */
type Stand = {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  /** Names of the requests in the order of their arrival. */
  readonly heard: string[];
  connections: number;
  onRequest(socket: Socket, name: string): void;
  onConnection(socket: Socket): void;
  /** Resolves when the condition holds; looked at whenever something happens. */
  until(holds: () => boolean): Promise<void>;
  look(): void;
};

function prepare(server: Server, event: 'connection' | 'secureConnection'): Stand {
  const waiting = new Set<() => void>();
  const stand: Stand = {
    server,
    sockets: new Set(),
    heard: [],
    connections: 0,
    onRequest: (socket, name) => socket.write(answerOf(name)),
    onConnection: () => undefined,
    until: (holds) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!holds()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    look: () => {
      for (const check of [...waiting]) check();
    },
  };
  server.on(event, (socket: Socket) => {
    stand.connections += 1;
    stand.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      stand.sockets.delete(socket);
      stand.look();
    });
    socket.on('data', (bytes) => {
      for (const [, name = ''] of bytes.toString().matchAll(/DELETE \/(\S+) HTTP/g)) {
        stand.heard.push(name);
        stand.onRequest(socket, name);
      }
      stand.look();
    });
    stand.onConnection(socket);
    stand.look();
  });
  return stand;
}

describe('connections opened ahead', () => {
  let stand: Stand;
  let closers: (() => void)[];

  const portOf = (): number => (stand.server.address() as AddressInfo).port;
  const listen = async (made: Stand): Promise<void> => {
    stand = made;
    stand.server.listen(0, '127.0.0.1');
    await once(stand.server, 'listening');
  };
  const open = (over: Partial<HttpLinesOptions> = {}): HttpLines => {
    const lines = createHttpLines({
      baseUrl: over.baseUrl ?? `http://127.0.0.1:${portOf()}`,
      ahead: 3,
      max: 8,
      random: () => 0.5,
      ...over,
    });
    closers.push(() => lines.close());
    return lines;
  };
  /** Our side sees what the other did a moment later. */
  const ready = async (lines: HttpLines, count: number): Promise<void> => {
    while (lines.counts().ready !== count) await new Promise(setImmediate);
  };
  const bodyOf = async (lines: HttpLines, name: string): Promise<string> => {
    const answer = await lines.send(request(name), PATIENCE_MILLIS);
    return answer.kind === 'answered' ? answer.body : answer.text;
  };

  beforeEach(async () => {
    closers = [];
    await listen(prepare(createServer(), 'connection'));
  });
  afterEach(async () => {
    for (const close of closers) close();
    for (const socket of stand.sockets) socket.destroy();
    stand.server.close();
    await once(stand.server, 'close');
  });

  it('are there before the first request, and carry one after the other', async () => {
    const lines = open();
    await ready(lines, 3);
    for (const name of ['a', 'b', 'c', 'd']) expect(await bodyOf(lines, name)).to.equal(name);
    expect([stand.connections, lines.counts().ready]).to.deep.equal([3, 3]);
  });

  it('have taken a request when the call returns: it arrives, though all is closed in the same turn', async () => {
    const lines = open();
    await ready(lines, 3);
    await bodyOf(lines, 'first');
    const answer = lines.send(request('second'), PATIENCE_MILLIS);
    lines.close();
    expect((await answer).kind).to.equal('connection');
    await stand.until(() => stand.heard.includes('second'));
  });

  it('carry as many requests in one instant as there are of them, and the others as answers come', async () => {
    const lines = open({ ahead: 8 });
    await ready(lines, 8);
    const held: (() => void)[] = [];
    stand.onRequest = (socket, name) => held.push(() => socket.write(answerOf(name)));
    const names = Array.from({ length: 20 }, (_, n) => `r${n}`);
    const answers = names.map((name) => bodyOf(lines, name));
    await stand.until(() => stand.heard.length === 8);
    expect(lines.counts()).to.deep.equal({ ready: 0, opening: 0, busy: 8, waiting: 12 });
    stand.onRequest = (socket, name) => socket.write(answerOf(name));
    for (const answer of held) answer();
    expect(await Promise.all(answers)).to.deep.equal(names);
    expect(stand.heard, 'in order, each once').to.have.members(names);
    expect(stand.connections).to.equal(8);
  });

  it('are opened by the requests where none are kept ahead', async () => {
    const lines = open({ ahead: 0, max: 2 });
    expect(await Promise.all(['a', 'b', 'c'].map((name) => bodyOf(lines, name)))).to.deep.equal([
      'a',
      'b',
      'c',
    ]);
    expect(stand.connections).to.equal(2);
  });

  it('are replaced when the server closes them, before the next request needs one', async () => {
    const lines = open();
    await ready(lines, 3);
    await bodyOf(lines, 'a');
    for (const socket of stand.sockets) socket.end();
    await stand.until(() => stand.connections >= 4);
    await bodyOf(lines, 'b');
    for (let last = 0; last !== stand.connections; await ready(lines, 3)) last = stand.connections;
    expect(stand.heard).to.deep.equal(['a', 'b']);
  });

  for (const seconds of [0, 1])
    it(`are replaced when the server announces to close them in ${seconds} s`, async () => {
      stand.onRequest = (socket, name) => {
        socket.write(answerOf(name, `Keep-Alive: timeout=${seconds}, max=100\r\n`));
        setTimeout(() => socket.end(), 50);
      };
      const lines = open({ ahead: 1 });
      await ready(lines, 1);
      await bodyOf(lines, 'a');
      await stand.until(() => stand.connections === 2 && stand.sockets.size === 1);
      await ready(lines, 1);
      expect(await bodyOf(lines, 'b')).to.equal('b');
      expect(stand.heard).to.deep.equal(['a', 'b']);
    });

  it('are replaced before a server closes them for standing idle, once it has done that', async () => {
    const left = { toServer: 0, toUs: 0 };
    stand.onConnection = (socket) => {
      const idle = setTimeout(() => {
        left.toServer += 1;
        socket.end();
      }, 2_000);
      socket.on('end', () => {
        if (idle.hasRef() && !socket.writableEnded) left.toUs += 1;
        clearTimeout(idle);
        socket.end();
        stand.look();
      });
    };
    open({ ahead: 3, idleMillisMin: 1_000 });
    await stand.until(() => left.toUs >= 3);
    expect(left.toServer, 'it had to be learned').to.be.at.least(1);
  });

  it('are replaced by ones that are ready, where the server leaves time for that', async () => {
    stand.onRequest = (socket, name) => socket.write(answerOf(name, 'Keep-Alive: timeout=2\r\n'));
    const lines = open({ ahead: 1 });
    await ready(lines, 1);
    await bodyOf(lines, 'a');
    const fewest: number[] = [];
    await stand.until(() => {
      fewest.push(stand.sockets.size);
      return stand.connections === 2 && stand.sockets.size === 1;
    });
    expect(Math.min(...fewest), 'connections at the server').to.equal(1);
    await ready(lines, 1);
    expect(await bodyOf(lines, 'b')).to.equal('b');
  });

  it('are replaced at once by a server that closes after every answer: that is no failure', async () => {
    let pauses = 0;
    stand.onRequest = (socket, name) => socket.end(answerOf(name, 'Connection: close\r\n'));
    const lines = open({
      random: () => {
        pauses += 1;
        return 0;
      },
    });
    await ready(lines, 3);
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      expect(await bodyOf(lines, name)).to.equal(name);
      await ready(lines, 3);
    }
    expect([stand.connections, pauses]).to.deep.equal([8, 0]);
  });

  it('do not hammer a server that drops them at once', async () => {
    let pauses = 0;
    stand.onConnection = (socket) => socket.destroy();
    open({
      ahead: 20,
      max: 20,
      random: () => {
        pauses += 1;
        return 0;
      },
    });
    await stand.until(() => pauses >= 3);
    // As many as are wanted in the beginning; after each pause one, and as many again if it seems to go well.
    expect(stand.connections).to.be.at.most(20 + 21 * pauses);
  });

  it('are asked for again after pauses that grow to half a minute, and differ', () => {
    const pauses = (chance: number) => [1, 2, 3, 8, 100].map((failures) => pauseMillis(failures, chance));
    expect(pauses(0)).to.deep.equal([125, 250, 500, 15_000, 15_000]);
    expect(pauses(0.5)).to.deep.equal([187.5, 375, 750, 22_500, 22_500]);
  });

  it('fail a request at once where nobody listens, and come back when somebody does', async () => {
    const port = portOf();
    stand.server.close();
    await once(stand.server, 'close');
    const lines = open({ baseUrl: `http://127.0.0.1:${port}` });
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((name) => lines.send(request(name), PATIENCE_MILLIS)),
    );
    for (const answer of answers) {
      expect(answer.kind).to.equal('connection');
      expect(answer.kind === 'connection' && answer.text).to.contain('ECONNREFUSED');
    }
    stand.server.listen(port, '127.0.0.1');
    await ready(lines, 3);
    expect(await bodyOf(lines, 'd')).to.equal('d');
  });

  it('end with a request that is late, and do not send one that is late before it could leave', async () => {
    const lines = open({ ahead: 1, max: 1 });
    await ready(lines, 1);
    stand.onRequest = () => undefined;
    const late = await Promise.all([lines.send(request('a'), 30), lines.send(request('b'), 20)]);
    expect(late.map(({ kind }) => kind)).to.deep.equal(['timeout', 'timeout']);
    stand.onRequest = (socket, name) => socket.write(answerOf(name));
    expect(await bodyOf(lines, 'c')).to.equal('c');
    expect(stand.heard).to.deep.equal(['a', 'c']);
    expect(stand.connections, 'an answer that comes late finds nobody').to.equal(2);
  });

  it('end when bytes come that nobody asked for', async () => {
    const lines = open({ ahead: 1 });
    await ready(lines, 1);
    for (const socket of stand.sockets) socket.write(answerOf('poison'));
    await stand.until(() => stand.connections === 2);
    await ready(lines, 1);
    expect(await bodyOf(lines, 'a')).to.equal('a');
  });

  it('fail what they carry when they break, and nothing else', async () => {
    const lines = open();
    await ready(lines, 3);
    stand.onRequest = (socket, name) =>
      name === 'bad' ? socket.destroy() : setImmediate(() => socket.write(answerOf(name)));
    const answers = await Promise.all(
      ['good', 'bad', 'fine'].map((name) => lines.send(request(name), PATIENCE_MILLIS)),
    );
    expect(answers.map(({ kind }) => kind)).to.deep.equal(['answered', 'connection', 'answered']);
    expect(stand.heard).to.have.members(['good', 'bad', 'fine']);
  });

  it('are all gone after the end, and take nothing any more', async () => {
    const lines = open();
    await ready(lines, 3);
    lines.close();
    await stand.until(() => stand.sockets.size === 0);
    expect((await lines.send(request('a'), PATIENCE_MILLIS)).kind).to.equal('connection');
    expect([stand.connections, stand.heard.length]).to.deep.equal([3, 0]);
  });

  describe('over TLS', () => {
    const certificate = loopbackCertificate();
    const url = (): string => `https://127.0.0.1:${portOf()}`;

    beforeEach(async () => {
      stand.server.close();
      await once(stand.server, 'close');
      await listen(prepare(createTlsServer(certificate), 'secureConnection'));
    });

    it('are ready when the handshake is done, and resume the session of the first', async () => {
      const resumed: boolean[] = [];
      stand.onConnection = (socket) => resumed.push((socket as TLSSocket).isSessionReused());
      const lines = open({ baseUrl: url(), ca: certificate.cert, ahead: 1 });
      await ready(lines, 1);
      expect(await bodyOf(lines, 'a')).to.equal('a');
      for (const socket of stand.sockets) socket.end();
      await stand.until(() => stand.connections === 2);
      await ready(lines, 1);
      expect(await bodyOf(lines, 'b')).to.equal('b');
      expect(resumed).to.deep.equal([false, true]);
    });

    it('have taken a request when the call returns', async () => {
      const lines = open({ baseUrl: url(), ca: certificate.cert });
      await ready(lines, 3);
      await bodyOf(lines, 'first');
      const answer = lines.send(request('second'), PATIENCE_MILLIS);
      lines.close();
      expect((await answer).kind).to.equal('connection');
      await stand.until(() => stand.heard.includes('second'));
    });

    it('are not made to a server that nobody vouches for', async () => {
      const lines = open({ baseUrl: url() });
      const answer = await lines.send(request('a'), PATIENCE_MILLIS);
      expect(answer.kind === 'connection' && answer.text).to.match(/self-signed certificate/i);
      expect(stand.heard).to.deep.equal([]);
    });
  });
});
