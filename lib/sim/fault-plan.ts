import { asFields, onlyKeys, type Report, show } from './fault-readers.ts';
import { readEntry } from './fault-script.ts';
import {
  CONNECT_FAULTS,
  type FaultPlan,
  FRAME_FAULTS,
  NO_FAULTS,
  REST_FAULTS,
  type ScriptedFault,
  type Spread,
} from './fault-types.ts';

export type ParsedFaultPlan =
  | { readonly plan: FaultPlan }
  | { readonly mistakes: readonly { readonly where: string; readonly text: string }[] };

const RATED: readonly string[] = [...REST_FAULTS, ...FRAME_FAULTS, ...CONNECT_FAULTS];

/**
 * Reads a fault plan: `rates`, the delays `restDelayMs`, `frameDelayMs`, `connectionLifeMs` (a number or a pair), and
 * `script`. Every mistake is named, with what is allowed and what was found.
 */
export function parseFaultPlan(source: unknown): ParsedFaultPlan {
  const mistakes: { where: string; text: string }[] = [];
  const report: Report = (where, text) => void mistakes.push({ where, text });
  if (source === null || source === undefined) return { plan: NO_FAULTS };
  const root = asFields(source, 'plan', report);
  onlyKeys(root, ['rates', 'restDelayMs', 'frameDelayMs', 'connectionLifeMs', 'script'], 'plan', report);
  const plan: FaultPlan = {
    rates: readRates(root.rates, report),
    restDelay: readSpread(root.restDelayMs, 'restDelayMs', NO_FAULTS.restDelay, report),
    frameDelay: readSpread(root.frameDelayMs, 'frameDelayMs', NO_FAULTS.frameDelay, report),
    connectionLife: readSpread(root.connectionLifeMs, 'connectionLifeMs', NO_FAULTS.connectionLife, report),
    script: readScript(root.script, report),
  };
  return mistakes.length > 0 ? { mistakes } : { plan };
}

function readRates(source: unknown, report: Report): FaultPlan['rates'] {
  if (source === undefined) return {};
  const fields = asFields(source, 'rates', report);
  onlyKeys(fields, RATED, 'rates', report);
  for (const [key, share] of Object.entries(fields))
    if (typeof share !== 'number' || !(share >= 0 && share <= 1))
      report(`rates.${key}`, `must be a share from 0 to 1; found ${show(share)}`);
  for (const group of [REST_FAULTS, FRAME_FAULTS.slice(0, 5), FRAME_FAULTS.slice(5), CONNECT_FAULTS]) {
    const sum = group.reduce((total, kind) => total + Number(fields[kind] ?? 0), 0);
    if (sum > 1) report('rates', `${group[0]} and its like must not add up to more than 1; found ${sum}`);
  }
  return fields as FaultPlan['rates'];
}

function readSpread(source: unknown, where: string, fallback: Spread, report: Report): Spread {
  if (source === undefined) return fallback;
  const [low, high] = Array.isArray(source) ? source : [source, source];
  if (typeof low === 'number' && typeof high === 'number' && low >= 0 && high >= low)
    return [low * 1_000, high * 1_000];
  report(where, `must be milliseconds or a rising pair of them; found ${show(source)}`);
  return fallback;
}

function readScript(source: unknown, report: Report): readonly ScriptedFault[] {
  if (source === undefined) return [];
  if (!Array.isArray(source)) {
    report('script', `must be a list; found ${show(source)}`);
    return [];
  }
  return source.flatMap((entry: unknown, index) => {
    const fault = readEntry(asFields(entry, `script[${index}]`, report), `script[${index}]`, report);
    return fault === null ? [] : [fault];
  });
}
