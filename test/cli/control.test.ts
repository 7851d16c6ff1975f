import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** A user id that is nobody's here. */
const STRANGER = 54_321;

describe('control socket', () => {
  const servers: ControlServer[] = [];
  const heard: ControlRequest[] = [];
  const note = (request: ControlRequest): { ok: true; value: string } => {
    heard.push(request);
    return { ok: true, value: request.kind };
  };
  const handlers: ControlHandlers = {
    status: note,
    lane: note,
    pause: note,
    resume: note,
    flatten: () => ({ ok: false, code: 'symbol.unknown', text: 'no such lane' }),
    adopt: note,
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
    expect(await callControl(path, { kind: 'adopt', symbol: 'SPY', why: 'mine' })).to.deep.equal({
      ok: true,
      value: 'adopt',
    });
    expect(heard[2]).to.include({ kind: 'adopt', symbol: 'SPY', why: 'mine' });
    expect(await callControl(path, { kind: 'lane', symbol: 'SPY' }, 'ann')).to.deep.equal({
      ok: true,
      value: 'lane',
    });
    expect(heard[3]).to.deep.equal({ kind: 'lane', symbol: 'SPY', by: 'ann' });
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
      '{"kind":"status","by":"ann"}\nnonsense\n{"kind":"fly","why":"x","by":"ann"}\n{"kind":"kill","by":"ann"}\n{"kind":"lane","by":"ann"}\n',
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
      'control.unreadable',
    ]);
  });

  it('hangs up on a line that dribbles in, and still answers others', async () => {
    const path = newPath();
    servers.push(await startControlServer({ path, handlers, lineMillis: 50 }));
    const socket = connect(path);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write('{"kind":"kill",');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    expect(await callControl(path, { kind: 'status' })).to.include({ ok: true });
    await closed;
    expect(heard.map(({ kind }) => kind)).to.deep.equal(['status']);
  });

  it('hangs up on garbage without end, and still answers others', async () => {
    const path = newPath();
    await start(path);
    const socket = connect(path);
    socket.on('error', () => undefined);
    socket.resume();
    const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x0a]);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const pour = (): void => {
      while (!socket.destroyed && socket.write(Buffer.concat(Array<Buffer>(50).fill(bytes))));
    };
    socket.on('drain', pour);
    pour();
    await closed;
    expect(heard).to.deep.equal([]);
    expect(await callControl(path, { kind: 'status' })).to.include({ ok: true });
  });

  it('does not listen through a link that lies in its place', async () => {
    const folder = scratch();
    const [path, elsewhere] = [join(folder, 'scalpd.sock'), join(folder, 'elsewhere')];
    symlinkSync(elsewhere, path);
    expect(await start(path).catch(String)).to.include('must be free');
    expect(lstatSync(elsewhere, { throwIfNoEntry: false })).to.equal(undefined);
    // To another daemon's socket as well: it is neither removed nor spoken to.
    await start(elsewhere);
    expect(await start(path).catch(String)).to.include('must be free');
    expect(await callControl(path, { kind: 'status' })).to.include({ code: 'control.foreign' });
    expect(heard).to.deep.equal([]);
  });

  it('does not listen in a folder that everybody may write to', async () => {
    const folder = scratch();
    chmodSync(folder, 0o777);
    expect(await start(join(folder, 'scalpd.sock')).catch(String)).to.include('everybody');
    chmodSync(folder, 0o1777);
    await start(join(folder, 'scalpd.sock'));
  });

  it('does not listen in the folder of another user, nor behind his link', async function () {
    // Only the superuser can make such a folder.
    if (process.getuid?.() !== 0) this.skip();
    const folder = join(scratch(), 'theirs');
    mkdirSync(folder);
    chownSync(folder, STRANGER, STRANGER);
    expect(await start(join(folder, 'scalpd.sock')).catch(String)).to.include(`uid ${STRANGER}`);
    const [own, link] = [scratch(), join(scratch(), 'link')];
    symlinkSync(own, link);
    lchownSync(link, STRANGER, STRANGER);
    expect(await start(join(link, 'scalpd.sock')).catch(String)).to.include(`uid ${STRANGER}`);
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
