import { expect } from 'chai';
import { type CommandLine, type ConfigLoad, parseConfig } from '../../lib/adapters/config/load.ts';
import { formatMistake } from '../../lib/adapters/config/mistake.ts';

const FILE = new TextEncoder().encode(
  'symbols:\n  - { symbol: SPY, lot: 2000 }\n  - { symbol: AAPL, lot: 1500 }\n',
);
const load = (commandLine: CommandLine): ConfigLoad => parseConfig('a.yaml', FILE, commandLine);
const lotsOf = (read: ConfigLoad): readonly string[] =>
  read.ok
    ? read.config.symbols.map(({ symbol, lot }) => `${symbol} ${lot / 10_000}`)
    : read.mistakes.map(formatMistake);

describe('symbols on the command line', () => {
  it('replace the list of the file', () => {
    expect(lotsOf(load({ symbols: ['KO', 'F'], lot: '1000' }))).to.deep.equal(['KO 1000', 'F 1000']);
  });

  it('keep their lot from the file when none is given', () => {
    expect(lotsOf(load({ symbols: ['AAPL'], lot: null }))).to.deep.equal(['AAPL 1500']);
  });

  it('are the symbols of the file when only the lot is given', () => {
    expect(lotsOf(load({ symbols: [], lot: '700.50' }))).to.deep.equal(['SPY 700.5', 'AAPL 700.5']);
  });

  it('may stand in for a file without symbols', () => {
    const read = parseConfig('a.yaml', new TextEncoder().encode('feed: iex'), {
      symbols: ['SPY'],
      lot: '500',
    });
    expect(lotsOf(read)).to.deep.equal(['SPY 500']);
  });

  it('are judged like those of the file, all at once', () => {
    expect(lotsOf(load({ symbols: ['spy', 'KO', 'KO'], lot: 'much' }))).to.deep.equal([
      'command line --lot: the value must be one of the allowed; allowed: US dollars without sign or separators ' +
        '(2000 or 0.01), 1 to 10000000; found: much',
      'command line SYMBOL: the symbol must be one; allowed: a US equity symbol in capitals (SPY, BRK.B); found: spy',
      'command line symbols[2].symbol: a symbol must stand once (it is symbols[1] already); allowed: each symbol ' +
        'once; found: KO',
    ]);
    expect(lotsOf(load({ symbols: ['KO'], lot: null }))[0]).to.include('KO must have a lot');
    expect(lotsOf(load({ symbols: [], lot: '30000' }))[0]).to.include('risk.orderNotionalMax');
  });
});
