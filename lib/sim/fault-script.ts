import type { Ticker } from '../domain/ids.ts';
import type { ExchangeAction } from './exchange-api.ts';
import {
  asFields,
  type Fields,
  onlyKeys,
  type Report,
  readAt,
  readFrom,
  readMillis,
  readSide,
  readTarget,
  readText,
  readTimes,
  show,
} from './fault-readers.ts';
import {
  CONNECT_FAULTS,
  type ConnectFaultKind,
  type FrameMatch,
  type RestMatch,
  type ScriptedFault,
} from './fault-types.ts';

const KINDS = ['rest', 'updates', 'data', 'connect', 'drop', 'rateStorm', 'halt', 'resume', 'cancelByHand'];

/** Reads one entry of `script`; `null` when its kind is not known. */
export function readEntry(entry: Fields, where: string, report: Report): ScriptedFault | null {
  const kind = entry.kind;
  const match = entry.match === undefined ? {} : asFields(entry.match, `${where}.match`, report);
  const action = entry.action === undefined ? {} : asFields(entry.action, `${where}.action`, report);
  const keys = { rest: REST_KEYS, updates: FRAME_KEYS, data: FRAME_KEYS, connect: CONNECT_KEYS };
  const allowed = keys[kind as keyof typeof keys] ?? [
    'kind',
    'at',
    'target',
    'symbol',
    'code',
    'reason',
    'side',
  ];
  onlyKeys(entry, allowed, where, report);
  const bounds = { from: readFrom(entry, where, report), times: readTimes(entry, where, report) };
  switch (kind) {
    case 'rest':
      return {
        kind,
        match: readRestMatch(match, where, report),
        ...bounds,
        action: readRestAction(action, where, report),
      };
    case 'updates':
    case 'data':
      return {
        kind,
        match: readFrameMatch(match, where, report),
        ...bounds,
        action: readFrameAction(action, where, report),
      };
    case 'connect': {
      const fault = action.kind;
      if (!(CONNECT_FAULTS as readonly unknown[]).includes(fault))
        report(`${where}.action.kind`, `must be one of ${CONNECT_FAULTS.join(', ')}; found ${show(fault)}`);
      const after = readMillis(action.afterMs ?? 0, `${where}.action.afterMs`, report);
      const target = readTarget(entry, where, report);
      return { kind, target, ...bounds, action: { kind: fault as ConnectFaultKind, after } };
    }
    case 'drop':
      return { kind, target: readTarget(entry, where, report), at: readAt(entry, where, report) };
    case 'rateStorm':
      return { kind, at: readAt(entry, where, report) };
    case 'halt':
    case 'resume':
    case 'cancelByHand':
      return {
        kind: 'act',
        at: readAt(entry, where, report),
        action: readMarketAction(kind, entry, where, report),
      };
    default:
      report(`${where}.kind`, `must be one of ${KINDS.join(', ')}; found ${show(kind)}`);
      return null;
  }
}

const REST_KEYS = ['kind', 'match', 'action', 'times', 'from'];
const FRAME_KEYS = REST_KEYS;
const CONNECT_KEYS = ['kind', 'target', 'action', 'times', 'from'];

function readMarketAction(
  kind: 'halt' | 'resume' | 'cancelByHand',
  entry: Fields,
  where: string,
  report: Report,
): ExchangeAction {
  const symbol = readText(entry.symbol, `${where}.symbol`, report);
  if (kind === 'cancelByHand') {
    const side = readSide(entry.side, where, report);
    return {
      kind,
      match: { ...(symbol === null ? {} : { symbol }), ...(side === null ? {} : { side }) },
    };
  }
  if (symbol === null) report(`${where}.symbol`, 'must name a symbol; found nothing');
  const named = { symbol: (symbol ?? '') as Ticker };
  if (kind === 'resume') return { kind, ...named };
  const code = readText(entry.code, `${where}.code`, report) ?? 'H';
  const reason = readText(entry.reason, `${where}.reason`, report) ?? 'LUDP';
  return { kind, ...named, code, reason };
}

function readRestMatch(match: Fields, where: string, report: Report): RestMatch {
  onlyKeys(match, ['method', 'path', 'side', 'symbol'], `${where}.match`, report);
  const path = readText(match.path, `${where}.match.path`, report);
  if (path !== null && !isPattern(path))
    report(`${where}.match.path`, `must be a regular expression; found ${show(path)}`);
  return {
    method: readText(match.method, `${where}.match.method`, report),
    path,
    side: readSide(match.side, `${where}.match`, report),
    symbol: readText(match.symbol, `${where}.match.symbol`, report),
  };
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

type RestAction = Extract<ScriptedFault, { kind: 'rest' }>['action'];

function readRestAction(action: Fields, where: string, report: Report): RestAction {
  onlyKeys(action, ['status', 'body', 'accept', 'silence', 'reset', 'delayMs'], `${where}.action`, report);
  const accept = action.accept === true;
  const { status, body = 'json' } = action;
  if (status !== undefined) {
    if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599)
      report(`${where}.action.status`, `must be an HTTP status from 200 to 599; found ${show(status)}`);
    if (body !== 'json' && body !== 'html' && body !== 'garbage')
      report(`${where}.action.body`, `must be json, html or garbage; found ${show(body)}`);
    return { kind: 'answer', status: Number(status), body: body as 'json', accept };
  }
  if (action.silence === true) return { kind: 'silence', accept };
  if (action.reset === true) return { kind: 'reset', accept };
  if (action.delayMs === undefined)
    report(`${where}.action`, `must have status, silence, reset or delayMs; found ${show(action)}`);
  return { kind: 'delay', delay: readMillis(action.delayMs ?? 0, `${where}.action.delayMs`, report) };
}

function readFrameMatch(match: Fields, where: string, report: Report): FrameMatch {
  onlyKeys(match, ['event', 'side', 'symbol'], `${where}.match`, report);
  return {
    event: readText(match.event, `${where}.match.event`, report),
    side: readSide(match.side, `${where}.match`, report),
    symbol: readText(match.symbol, `${where}.match.symbol`, report),
  };
}

type FrameAction = Extract<ScriptedFault, { kind: 'updates' | 'data' }>['action'];

function readFrameAction(action: Fields, where: string, report: Report): FrameAction {
  onlyKeys(action, ['lose', 'duplicate', 'delayMs', 'unknownEvent', 'garbage'], `${where}.action`, report);
  const { duplicate, delayMs } = action;
  if (action.lose === true) return { kind: 'drop' };
  if (action.unknownEvent === true) return { kind: 'unknownEvent' };
  if (action.garbage === true) return { kind: 'garbage' };
  if (typeof duplicate === 'number' && Number.isInteger(duplicate) && duplicate >= 1)
    return { kind: 'duplicate', extra: duplicate };
  if (delayMs !== undefined)
    return { kind: 'delay', delay: readMillis(delayMs, `${where}.action.delayMs`, report) };
  report(
    `${where}.action`,
    `must have lose, duplicate, delayMs, unknownEvent or garbage; found ${show(action)}`,
  );
  return { kind: 'drop' };
}
