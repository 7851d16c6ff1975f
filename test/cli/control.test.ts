import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { callControl, NOT_RUNNING } from '../../lib/adapters/control/client.ts';
import type { ControlHandlers, ControlRequest } from '../../lib/adapters/control/protocol.ts';
import { type ControlServer, startControlServer } from '../../lib/adapters/control/server.ts';
import { controlPath } from '../../lib/adapters/control/socket-path.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const LISTEN_AND_DIE = `
  require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'));
`;

describe('control socket', () => {
  const servers: ControlServer[] = [];
  const heard: ControlRequest[] = [];
  const note = (request: ControlRequest): { ok: true; value: string } => {
    heard.push(request);
    return { ok: true, value: request.kind };
  };
  const handlers: ControlHandlers = {
    status: note,
    pause: note,
    resume: note,
    flatten: () => ({ ok: false, code: 'symbol.unknown', text: 'no such lane' }),
    kill: () => {
      throw new Error('the handler broke');
    },
  };
  const start = async (path: string): Promise<ControlServer> => {
    const server = await startControlServer({ path, handlers });
    servers.push(server);
    return server;
  };
  const newPath = (): string => join(scratch(), 'data', 'scalpd.sock');

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    removeScratch();
    heard.splice(0);
  });

  it('carries requests with the name of the person, and the answers back', async () => {
    const path = newPath();
    await start(path);
    expect(await callControl(path, { kind: 'pause', symbol: 'SPY', why: 'news' }, 'ann')).to.deep.equal({
      ok: true,
      value: 'pause',
    });
    expect(
      await callControl(path, { kind: 'resume', symbol: null, why: 'calm', clearLatches: true }),
    ).to.deep.equal({
      ok: true,
      value: 'resume',
    });
    expect(heard[0]).to.deep.equal({ kind: 'pause', symbol: 'SPY', why: 'news', by: 'ann' });
    expect(heard[1]).to.include({ kind: 'resume', symbol: null, why: 'calm', clearLatches: true });
    expect(heard[1]?.by).to.match(/./);
    expect(await callControl(path, { kind: 'flatten', symbol: 'XX', why: 'no' })).to.include({
      code: 'symbol.unknown',
    });
    expect(await callControl(path, { kind: 'kill', why: 'enough' })).to.include({ code: 'control.failed' });
  });

  it('is open to its user alone', async () => {
    const path = newPath();
    await start(path);
    expect(lstatSync(path).mode & 0o777).to.equal(0o600);
  });

  it('says that nothing runs when nobody listens', async () => {
    expect(await callControl(newPath(), { kind: 'status' })).to.include({ ok: false, code: NOT_RUNNING });
  });

  it('replaces the socket of a killed daemon, but not one that answers, and no other file', async () => {
    const path = newPath();
    await start(path);
    const second = await start(path).catch((cause: unknown) => cause);
    expect(second).to.have.property('code', 'control.inUse');

    const stale = join(scratch(), 'stale.sock');
    const killed = spawn(process.execPath, ['-e', LISTEN_AND_DIE, stale], { stdio: 'inherit' });
    await once(killed, 'exit');
    expect(lstatSync(stale).isSocket()).to.equal(true);
    await start(stale);
    expect(await callControl(stale, { kind: 'status' })).to.include({ ok: true });

    const file = join(scratch(), 'file.sock');
    writeFileSync(file, 'mine');
    expect(await start(file).catch(String)).to.include('must be free');
  });

  it('answers every line in order, also after the client has closed its end, and refuses what is no request', async () => {
    const path = newPath();
    await start(path);
    const socket = connect(path);
    socket.setEncoding('utf8');
    socket.end(
      '{"kind":"status","by":"ann"}\nnonsense\n{"kind":"fly","why":"x","by":"ann"}\n{"kind":"kill","by":"ann"}\n',
    );
    let text = '';
    for await (const chunk of socket) text += chunk;
    const replies = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { ok: boolean; code?: string });
    expect(replies.map(({ ok, code }) => (ok ? 'ok' : code))).to.deep.equal([
      'ok',
      'control.unreadable',
      'control.unreadable',
      'control.unreadable',
    ]);
  });

  it('hangs up on a line without end', async () => {
    const path = newPath();
    await start(path);
    const socket = connect(path);
    socket.on('error', () => undefined);
    socket.write('x'.repeat(200_000));
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).to.deep.equal([]);
  });

  it('lies beside the journal, or in a short place when that path is too long for a socket', () => {
    expect(controlPath('/srv/scalpd/data/scalpd.db')).to.equal('/srv/scalpd/data/scalpd.sock');
    const deep = `/srv/${'folder/'.repeat(20)}scalpd.db`;
    expect(Buffer.byteLength(controlPath(deep))).to.be.at.most(103);
    expect(controlPath(deep))
      .to.equal(controlPath(deep))
      .and.not.equal(controlPath(`/x${deep}`));
  });
});
