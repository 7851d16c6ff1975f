import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectFile } from '../../lib/app/project.ts';
import { type Ending, killChildren, startScalpd } from '../e2e/support/child.ts';
import { untilLogged } from '../e2e/support/daemon-log.ts';
import { startExchange } from '../e2e/support/exchange.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

/** Of the form of Alpaca's, with the characters that other spellings change. */
const KEY = 'PKQ7ZL4M2WX9AHT3VBNC';
const SECRET = 'n0tAr3al/S3cret+v4lue9QmZ0pLx4TtYw82bNcR';

/** No run of so many characters of any spelling may be found: a header dump that was cut is a leak as well. */
const PIECE = 10;

function piecesOf(text: string): readonly string[] {
  return Array.from({ length: text.length - PIECE + 1 }, (_, at) => text.slice(at, at + PIECE));
}

/** The inside of its Base64, wherever in a longer text it stands. */
const insides = (text: string): readonly string[] =>
  [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
      .toString('base64')
      .slice(Math.ceil((before * 8) / 6), -4),
  );

const PIECES: readonly string[] = [
  ...new Set(
    [KEY, SECRET]
      .flatMap((each) => [
        each,
        encodeURIComponent(each),
        JSON.stringify(each).slice(1, -1),
        each.replaceAll('/', '\\/'),
        ...insides(each),
        Buffer.from(each).toString('hex'),
      ])
      .flatMap(piecesOf),
  ),
];

const FAIL = new URL('./fail-when-ready.js', import.meta.url).href;

/** Every file that a run has left, with its bytes. */
function filesIn(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const kind = statSync(path);
    if (kind.isDirectory()) return filesIn(path);
    return kind.isFile() ? [[path, readFileSync(path, 'latin1')] as const] : [];
  });
}

type Run = { readonly ending: Ending; readonly files: readonly (readonly [string, string])[] };

describe('secrets', function () {
  this.timeout(240_000);
  let echo: Server;

  before(async () => {
    // A proxy that refuses, and shows everything that it was sent.
    echo = createServer((request, response) => {
      response.writeHead(401, { 'Content-Type': 'application/json', 'X-Request-ID': KEY });
      response.end(JSON.stringify({ message: `forbidden: ${request.rawHeaders.join(' ')}` }));
    });
    await new Promise<void>((resolve) => {
      echo.listen(0, '127.0.0.1', resolve);
    });
  });

  after(async () => {
    echo.closeAllConnections();
    echo.close();
    await killChildren();
    removeScratch();
  });

  function begin(url: string, env: Readonly<Record<string, string>>, symbols: readonly string[]) {
    const cwd = scratch();
    const shipped = readFileSync(projectFile('config/scalpd.yaml'), 'utf8');
    const talkative = shipped.replace(/level: info/, 'level: debug').replace(/period: 20/, 'period: 3');
    expect(talkative).to.not.equal(shipped);
    writeFileSync(join(cwd, 'scalpd.yaml'), talkative);
    const child = startScalpd({
      cwd,
      args: ['run', ...symbols, '--lot', '2000', '--once', '--config', 'scalpd.yaml'],
      env: {
        APCA_API_BASE_URL: url,
        APCA_API_DATA_URL: url,
        APCA_API_STREAM_URL: url,
        APCA_API_KEY_ID: KEY,
        APCA_API_SECRET_KEY: SECRET,
        ...env,
      },
    });
    const ended = async (): Promise<Run> => {
      const ending = await child.ended;
      return { ending, files: filesIn(cwd) };
    };
    return { cwd, child, ended };
  }

  const run = (...args: Parameters<typeof begin>): Promise<Run> => begin(...args).ended();

  function expectNoSecret({ ending, files }: Run): void {
    const places = [
      ['standard output', ending.out.join('\n')],
      ['standard error', ending.err],
      ...files,
    ] as const;
    for (const [place, text] of places)
      for (const piece of PIECES)
        if (text.includes(piece))
          expect.fail(
            `no secret is shown; ${place} has "${text.slice(Math.max(0, text.indexOf(piece) - 120), text.indexOf(piece) + 60)}"`,
          );
  }

  const named = ({ files }: Run, end: string): string =>
    files
      .filter(([path]) => path.endsWith(end))
      .map(([, text]) => text)
      .join('');

  it('a whole run shows none: output, log at its most talkative, journal, reports', async () => {
    const exchange = await startExchange(scratch(), ['--speed', '120', '--count', '4', '--start', '15:43']);
    const day = await run(exchange.url, {}, exchange.symbols);
    expect(day.ending.code, day.ending.err).to.equal(0);
    expect(named(day, 'scalpd.log')).to.include('"level":"debug"').and.include('session.ended');
    expect(named(day, '.db').length, 'a journal').to.be.above(1_000);
    expect(named(day, 'flat.json')).to.include('scalpd-');
    expectNoSecret(day);
  });

  for (const [how, event] of [
    ['throw', 'an exception that nobody caught'],
    ['reject', 'a rejection that nobody handled'],
  ] as const)
    it(`a crash by ${event} shows none, under pm2's capture and in Node's own report`, async () => {
      const crashing = await startExchange(scratch(), ['--speed', '10', '--count', '2', '--start', '11:00']);
      const crashed = await run(
        crashing.url,
        { FAIL_BY: how, NODE_OPTIONS: `--import=${FAIL}`, pm_id: '0' },
        crashing.symbols,
      );
      expect(crashed.ending.code).to.equal(1);
      expect(named(crashed, 'scalpd.log')).to.include('daemon.crashed').and.include('[secret]');
      expect(crashed.ending.out.join('\n')).to.include('daemon.crashed');
      const report = JSON.parse(named(crashed, 'report.json')) as { readonly environmentVariables: object };
      expect('FAIL_BY' in report.environmentVariables).to.equal(true);
      for (const name of ['APCA_API_KEY_ID', 'APCA_API_SECRET_KEY'])
        expect(name in report.environmentVariables, name).to.equal(false);
      expectNoSecret({ ...crashed, files: crashed.files.filter(([path]) => !path.endsWith('report.json')) });
    });

  it('a refusal that echoes the request shows none', async () => {
    const refused = await run(`http://127.0.0.1:${(echo.address() as AddressInfo).port}`, {}, ['SPY']);
    expect(refused.ending.code).to.equal(3);
    expect(refused.ending.err).to.include('[secret]');
    expectNoSecret(refused);
  });

  it('a connection that is refused shows none', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => {
      closed.listen(0, '127.0.0.1', resolve);
    });
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const { cwd, child, ended } = begin(`http://127.0.0.1:${port}`, {}, ['SPY']);
    await untilLogged(cwd, (line) => JSON.stringify(line).includes('ECONNREFUSED'));
    child.signal('SIGTERM');
    expectNoSecret(await ended());
  });

  it('a URL that carries them is refused without a word of it', async () => {
    const wrong = await run(`http://${KEY}:${encodeURIComponent(SECRET)}@127.0.0.1:1/${SECRET}`, {}, ['SPY']);
    expect(wrong.ending.code).to.equal(2);
    expectNoSecret(wrong);
  });
});
