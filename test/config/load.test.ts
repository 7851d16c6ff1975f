import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { settings } from '../../lib/adapters/config/config.ts';
import { type ConfigLoad, loadConfig, parseConfig } from '../../lib/adapters/config/load.ts';
import { type ConfigMistake, formatMistake } from '../../lib/adapters/config/mistake.ts';
import { readYaml } from '../../lib/adapters/config/read-yaml.ts';
import { projectFile } from '../../lib/app/project.ts';

const SHIPPED = projectFile('config/scalpd.yaml');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): ConfigLoad => parseConfig('a.yaml', bytes(text));
const ONE = 'symbols:\n  - { symbol: SPY, lot: 2000 }\n';

function mistakesOf(load: ConfigLoad): readonly ConfigMistake[] {
  return load.ok ? [] : load.mistakes;
}

function only(text: string): ConfigMistake {
  const found = mistakesOf(parse(text));
  expect(found.map(formatMistake)).to.have.length(1);
  const [mistake] = found;
  if (mistake === undefined) throw new Error('one mistake is expected');
  return mistake;
}

describe('configuration file', () => {
  it('the shipped file is valid, embedded, and names every setting at its default', async () => {
    const load = await loadConfig(SHIPPED);
    expect(mistakesOf(load).map(formatMistake)).to.deep.equal([]);
    if (!load.ok) return;
    expect(load.config.account.mode).to.equal('embedded');
    expect(load.config.symbols.length).to.be.at.least(8);
    const bare = parse(ONE);
    if (!bare.ok) throw new Error('the bare file is valid');
    const { symbols: _s, strategy: _t, ...shipped } = load.config;
    const { symbols: _b, strategy: _c, ...standard } = bare.config;
    expect(shipped).to.deep.equal(standard);
    const text = await readFile(SHIPPED, 'utf8');
    for (const key of leafKeys()) expect(text, key).to.match(new RegExp(`\\b${key}:`));
  });

  it('gives durations in microseconds, money in 1/10000 USD, shares of a whole as fractions', () => {
    const load = parse(
      `${ONE}exit: { markup: 0.01, holdMax: 1.5m }\ngateway: { exitReserve: 12.5% }\nentry: { patience: 500s }\n`,
    );
    if (!load.ok) throw new Error(load.mistakes.map(formatMistake).join('\n'));
    expect(load.config.symbols).to.deep.equal([{ symbol: 'SPY', lot: 20_000_000 }]);
    expect(load.config.exit.markup).to.equal(100);
    expect(load.config.exit.holdMax).to.equal(90_000_000);
    expect(load.config.gateway.exitReserve).to.equal(0.125);
  });

  it('reports every mistake at once, in the order of the file', () => {
    const text = [
      'account: { mode: real }',
      'symbols:',
      '  - { symbol: spy, lot: 2000 }',
      '  - { symbol: AAPL, lot: -5 }',
      '  - { symbol: MSFT, lot: 1500 }',
      '  - { symbol: MSFT, lot: 900000 }',
      'exit: { holdMax: 120 }',
      'gateway: { exitReserve: 0.2 }',
      'sesion: { flattenBeforeClose: 5m }',
      'log: [a]',
    ].join('\n');
    const found = mistakesOf(parse(text)).map(({ line, key }) => `${line} ${key}`);
    expect(found).to.deep.equal([
      '1 account.mode',
      '3 symbols[0].symbol',
      '4 symbols[1].lot',
      '6 symbols[3].symbol',
      '6 symbols[3].lot',
      '7 exit.holdMax',
      '8 gateway.exitReserve',
      '9 sesion',
      '10 log',
    ]);
  });

  it('names file, line, column, key, what is allowed and what was found', () => {
    expect(formatMistake(only(`${ONE}exit:\n  holdMax: 120\n`))).to.equal(
      'a.yaml:4:12 exit.holdMax: the value must be one of the allowed; allowed: a duration with its unit ' +
        '(500ms, 15s, 5m, 1h), 1s to 6h; found: 120',
    );
  });

  it('says which key was meant', () => {
    expect(only(`${ONE}exit: { holdmax: 2m }\n`).rule).to.include('did you mean holdMax?');
    expect(only(`${ONE}sesion: {}\n`).rule).to.include('did you mean session?');
    expect(only(`${ONE}zzz: 1\n`).rule).not.to.include('did you mean');
  });

  it('never shows the value of something that looks like a secret', () => {
    const text = formatMistake(only(`${ONE}account: { mode: paper, secretKey: hunter2hunter2 }\n`));
    expect(text).to.include('environment').and.not.to.include('hunter2');
  });

  const broken: Readonly<Record<string, readonly [string, RegExp]>> = {
    'a duplicate key': [`${ONE}feed: iex\nfeed: sip\n`, /stand once/],
    'a tab': [`${ONE}exit:\n\tholdMax: 2m\n`, /spaces/],
    'an empty file': ['', /must hold the settings/],
    'a file of comments': ['# nothing\n', /must hold the settings/],
    'a second document': [`${ONE}---\nfeed: iex\n`, /one YAML document/],
    'a list in place of the sections': ['- SPY\n- AAPL\n', /must be a section/],
    'a word in place of the sections': ['SPY', /must be a section/],
    'an alias': [`${ONE}journal: { path: &a x }\nlog: { dir: *a }\n`, /written out/],
    'a tag': [`${ONE}feed: !secret iex\n`, /no YAML tags/],
    'a value left out': [`${ONE}feed:\n`, /one of the allowed/],
    'a kill file in the place of the journal': [
      `${ONE}journal: { path: x.db }\nrisk: { killFile: x.db }\n`,
      /a file of its own/,
    ],
    'no symbol': ['symbols: []\n', /at least one symbol/],
    'a symbol without lot': ['symbols: [{ symbol: SPY }]\n', /must be given/],
    'a symbol that is a word': ['symbols: [SPY]\n', /must be a section/],
    'a hold longer than the session': [`${ONE}exit: { holdMax: 4h }\n`, /half-day/],
    'a flatten longer than the session': [`${ONE}session: { flattenBeforeClose: 3h30m }\n`, /allowed/],
    'a flatten as long as a half-day': [`${ONE}session: { flattenBeforeClose: 3.5h }\n`, /half-day/],
    'a lot above the order limit': [
      `${ONE}risk: { orderNotionalMax: 1000 }\n`,
      /every entry would be denied/,
    ],
    'live at another speed': [`${ONE}account: { mode: live }\nclock: { speed: 2 }\n`, /real time/],
    'a number with a separator': ['symbols: [{ symbol: SPY, lot: "2,000" }]\n', /one of the allowed/],
    'a day that is none': [`${ONE}exchange: { day: 2026-02-30 }\n`, /one of the allowed/],
    'no requests at all': [`${ONE}gateway: { requestsPerMinute: 0 }\n`, /one of the allowed/],
    'nothing left for entries': [`${ONE}gateway: { exitReserve: 100% }\n`, /one of the allowed/],
    'settings nested without end': [`${ONE}strategy: ${'{a: '.repeat(50)}1${'}'.repeat(50)}\n`, /this deep/],
  };
  for (const [what, [text, rule]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const found = only(text);
      expect(found.rule).to.match(rule);
      expect(found.line).to.be.at.least(1);
    });
  }

  it('refuses text that is not UTF-8 and says where', () => {
    const text = new Uint8Array([...bytes('symbols: []\nfeed: '), 0xff, 0xfe]);
    const [mistake] = mistakesOf(parseConfig('a.yaml', text));
    expect(mistake).to.include({ line: 2, column: 7, rule: 'the file must be text in UTF-8' });
  });

  it('says that a file is missing', async () => {
    const [mistake] = mistakesOf(await loadConfig('/nowhere/scalpd.yaml'));
    expect(mistake).to.include({ source: '/nowhere/scalpd.yaml', found: 'ENOENT', line: null });
  });

  it('does not let a key reach an object prototype', () => {
    const found = mistakesOf(parse(`${ONE}__proto__: { polluted: yes }\nconstructor: 1\n`));
    expect(found.map(({ key }) => key)).to.deep.equal(['__proto__', 'constructor']);
    expect({}).not.to.have.property('polluted');
  });

  it('keeps the options of the strategy as YAML reads them, and lets its own check judge them', async () => {
    const load = parse(`${ONE}strategy: { name: ./mine.js, period: 20, loud: true, levels: [1, 2.5] }\n`);
    if (!load.ok) throw new Error('valid');
    expect(load.config.strategy).to.deep.equal({
      name: './mine.js',
      period: 20,
      loud: true,
      levels: [1, 2.5],
    });
    const judged = await loadConfig(SHIPPED, undefined, async ({ name }) => [`${name} must be better`]);
    const [mistake] = mistakesOf(judged);
    expect(mistake).to.include({ key: 'strategy', rule: 'sma-cross must be better' });
    expect(mistake?.line).to.be.above(1);
  });
});

/** The names of all settings, from the reader itself: a section read from nothing lists its keys. */
function leafKeys(): readonly string[] {
  const { root } = readYaml('empty', bytes('{}'));
  const raw = settings(root, '', { source: '', mistakes: [], places: new Map(), wrong: new Set() });
  return Object.entries(raw).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [name, ...Object.keys(value)]
      : [name],
  );
}
