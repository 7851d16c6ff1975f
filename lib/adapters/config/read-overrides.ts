import type { LaneParams } from '../../domain/lane-types.ts';
import type { Cash } from '../../domain/money.ts';
import { planSession, type SessionPlan } from '../../domain/session.ts';
import { between, type Duration } from '../../domain/time.ts';
import type { Change } from '../../engine/replay-altered.ts';
import type { StrategySetting } from '../../ports/lane-protocol.ts';
import { settings } from './config.ts';
import type { ConfigMistake } from './mistake.ts';
import { type Entry, type Located, readYaml } from './read-yaml.ts';
import { blame, type Findings } from './readers.ts';
import { toLaneParams } from './to-engine-settings.ts';
import { usd } from './units.ts';

/** Settings given one by one as `path=value`, by the paths of the configuration file, and `lot` for every symbol's. */
export type Overrides = {
  /** As typed. */
  readonly texts: readonly string[];
  readonly params: Partial<LaneParams>;
  readonly flattenBeforeClose: Duration | null;
  /** Options of the strategy; with a `name` it is another strategy. */
  readonly strategy: Readonly<Record<string, unknown>>;
};

export type OverridesRead =
  | { readonly ok: true; readonly overrides: Overrides }
  | { readonly ok: false; readonly mistakes: readonly ConfigMistake[] };

/** The setting behind each parameter of a lane. */
const KEY_OF: Readonly<Record<Exclude<keyof LaneParams, 'symbol'>, string>> = {
  lot: 'lot',
  entryPatience: 'entry.patience',
  entryQueueMax: 'gateway.entryLife',
  lastTradeMaxAge: 'entry.lastTradeMaxAge',
  exitMarkup: 'exit.markup',
  holdMax: 'exit.holdMax',
  exitRetryFirst: 'exit.retryFirst',
  exitRetryMax: 'exit.retryMax',
  cancelRetry: 'exit.cancelRetry',
  entriesMax: 'risk.entriesMax',
  lossesMax: 'risk.lossesMax',
  coolOff: 'risk.coolOff',
};
const FLATTEN = 'session.flattenBeforeClose';
const STRATEGY = 'strategy.';

/** What a lane decides by, for messages. */
export const OVERRIDE_KEYS = [...Object.values(KEY_OF), FLATTEN, 'strategy.name', 'strategy.<option>'];

const LOT = usd(1, 10_000_000);

/** Reads what was typed with the readers of the configuration file; every mistake at once. */
export function readOverrides(texts: readonly string[]): OverridesRead {
  const findings: Findings = {
    source: 'command line',
    mistakes: [],
    places: new Map(),
    wrong: new Set(),
  };
  const values = splitAll(texts, findings);
  const lot = readLot(values, findings);
  const raw = settings(treeOf(values), '', findings);
  for (const key of values.keys())
    if (!findings.wrong.has(key) && !isLaneKey(key) && !isBelowWrong(key, findings))
      blame(findings, key, null, {
        rule: 'the setting must be one that a lane decides by',
        allowed: OVERRIDE_KEYS.join(', '),
        found: key,
      });
  const mistakes = findings.mistakes.map((mistake) => ({ ...mistake, line: null, column: null }));
  if (mistakes.length > 0) return { ok: false, mistakes };
  const all = toLaneParams(
    { ...raw, symbols: [], exchange: { ...raw.exchange, tape: [] } },
    { symbol: '' as LaneParams['symbol'], lot },
  );
  const given = Object.entries(KEY_OF).filter(([, key]) => (key === 'lot' ? lot > 0 : values.has(key)));
  const { name, ...options } = raw.strategy;
  return {
    ok: true,
    overrides: {
      texts,
      params: Object.fromEntries(given.map(([field]) => [field, all[field as keyof LaneParams]])),
      flattenBeforeClose: values.has(FLATTEN) ? raw.session.flattenBeforeClose : null,
      strategy: values.has('strategy.name') ? { ...options, name } : options,
    },
  };
}

const isLaneKey = (key: string): boolean => OVERRIDE_KEYS.includes(key) || key.startsWith(STRATEGY);
const isBelowWrong = (key: string, { wrong }: Findings): boolean =>
  [...wrong].some((each) => each.startsWith(`${key}.`) || key.startsWith(`${each}.`));

function splitAll(texts: readonly string[], findings: Findings): Map<string, string> {
  const values = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = text.slice(0, at).trim();
    if (at < 0 || !/^[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)*$/.test(key))
      blame(findings, '--set', null, {
        rule: 'a setting must be given as path=value',
        allowed: 'exit.markup=0.01, strategy.period=25, lot=1500',
        found: text,
      });
    else if (values.has(key))
      blame(findings, key, null, { rule: 'a setting must be given once', allowed: 'once', found: text });
    else values.set(key, text.slice(at + 1).trim());
  }
  return values;
}

/** Symbols have lots of their own in the file; here one is for all. 0: not given. */
function readLot(values: Map<string, string>, findings: Findings): Cash {
  const text = values.get('lot');
  if (text === undefined) return 0 as Cash;
  const lot = LOT.read(text);
  if (lot === null)
    blame(findings, 'lot', null, {
      rule: 'the value must be one of the allowed',
      allowed: LOT.allowed,
      found: text,
    });
  return lot ?? (0 as Cash);
}

/** The values as the file's parser would have given them. */
function treeOf(values: ReadonlyMap<string, string>): Located {
  const root = emptySection();
  for (const [key, text] of values) {
    if (key === 'lot') continue;
    const names = key.split('.');
    const last = names.pop() ?? key;
    let here = root;
    for (const name of names) {
      const next = here.entries.get(name)?.value;
      const inner = next !== undefined && isOpenSection(next) ? next : emptySection();
      here.entries.set(name, { ...PLACE, value: inner });
      here = inner;
    }
    here.entries.set(last, { ...PLACE, value: scalarOf(text) });
  }
  return root;
}

const PLACE = { line: 1, column: 1 };
type OpenSection = Located & { readonly kind: 'section'; readonly entries: Map<string, Entry> };
const emptySection = (): OpenSection => ({ ...PLACE, kind: 'section', entries: new Map(), plain: {} });
const isOpenSection = (value: Located): value is OpenSection => value.kind === 'section';

/** A value by itself is a YAML document of its own; what is none is taken as the text it is. */
function scalarOf(text: string): Located {
  const { root } = readYaml('command line', new TextEncoder().encode(text));
  return root ?? { ...PLACE, kind: 'text', text, plain: text };
}

/** What the overrides make of the settings that a day was traded with. */
export function changeOf({ params, flattenBeforeClose, strategy }: Overrides): Change {
  const { holdMax } = params;
  return {
    params: (recorded) => ({ ...recorded, ...params }),
    plan: (recorded) =>
      flattenBeforeClose === null && holdMax === undefined
        ? recorded
        : replanned(recorded, flattenBeforeClose, holdMax ?? null),
    strategy: (recorded) =>
      'name' in strategy ? (strategy as StrategySetting) : { ...recorded, ...strategy },
  };
}

/** Flatten and entry cutoff follow from two settings; the one that is not given is the recorded one. */
function replanned(plan: SessionPlan, flatten: Duration | null, holdMax: Duration | null): SessionPlan {
  return planSession(
    plan,
    flatten ?? between(plan.flattenAt, plan.closeAt),
    holdMax ?? between(plan.entryCutoffAt, plan.flattenAt),
  );
}
