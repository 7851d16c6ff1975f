import type { Ticker } from '../domain/ids.ts';
import type { SimAsset } from './exchange-api.ts';
import { createRandom } from './random.ts';

/** What kind of market a symbol has. Levels are rough and of 2025: believable, not quotations. */
export type Listing = {
  readonly symbol: Ticker;
  readonly name: string;
  readonly exchange: SimAsset['exchange'];
  /** USD. */
  readonly price: number;
  /** Standard deviation of a day's return, percent. */
  readonly dailyVolatility: number;
  /** Typical spread in ticks around noon. */
  readonly spreadTicks: number;
  /** How busy it prints against the average symbol of the market. */
  readonly activity: number;
  /** Correlation with the common factor, -1 to 1. */
  readonly correlation: number;
};

type Row = readonly [string, string, 'N' | 'Q' | 'P', number, number, number, number, number?];

/** Symbol, name, exchange (NYSE, NASDAQ, ARCA), price, daily volatility, spread, activity, correlation (0.6 when absent). */
const ROWS: readonly Row[] = [
  ['SPY', 'SPDR S&P 500 ETF Trust', 'P', 590, 1.0, 1, 1.7, 0.97],
  ['AAPL', 'Apple Inc.', 'Q', 230, 1.6, 1, 1.5, 0.72],
  ['MSFT', 'Microsoft Corporation', 'Q', 430, 1.4, 3, 1.2, 0.74],
  ['QQQ', 'Invesco QQQ Trust', 'Q', 510, 1.3, 1, 1.6, 0.95],
  ['NVDA', 'NVIDIA Corporation', 'Q', 140, 2.9, 1, 1.7, 0.7],
  ['AMZN', 'Amazon.com, Inc.', 'Q', 215, 1.9, 1, 1.4, 0.7],
  ['TSLA', 'Tesla, Inc.', 'Q', 330, 3.6, 3, 1.7, 0.55],
  ['META', 'Meta Platforms, Inc.', 'Q', 590, 2.0, 8, 1.2, 0.66],
  ['GOOGL', 'Alphabet Inc. Class A', 'Q', 175, 1.7, 1, 1.2, 0.68],
  ['AMD', 'Advanced Micro Devices, Inc.', 'Q', 135, 3.0, 1, 1.4, 0.64],
  ['BAC', 'Bank of America Corporation', 'N', 45, 1.6, 1, 1.2, 0.62],
  ['INTC', 'Intel Corporation', 'Q', 22, 3.0, 1, 1.2, 0.5],
  ['F', 'Ford Motor Company', 'N', 11, 2.0, 1, 1.1, 0.5],
  ['JPM', 'JPMorgan Chase & Co.', 'N', 240, 1.4, 3, 1.0, 0.63],
  ['IWM', 'iShares Russell 2000 ETF', 'P', 225, 1.4, 1, 1.4, 0.88],
  ['PLTR', 'Palantir Technologies Inc.', 'Q', 75, 4.0, 1, 1.5, 0.5],
  ['SOFI', 'SoFi Technologies, Inc.', 'Q', 15, 3.8, 1, 1.2, 0.5],
  ['T', 'AT&T Inc.', 'N', 23, 1.2, 1, 1.0, 0.35],
  ['PFE', 'Pfizer Inc.', 'N', 26, 1.4, 1, 1.0, 0.35],
  ['CCL', 'Carnival Corporation', 'N', 25, 2.6, 1, 1.0, 0.55],
  ['XLF', 'Financial Select Sector SPDR', 'P', 49, 1.1, 1, 1.2, 0.82],
  ['DIS', 'The Walt Disney Company', 'N', 112, 1.6, 2, 1.0],
  ['KO', 'The Coca-Cola Company', 'N', 63, 0.9, 1, 0.9, 0.35],
  ['WMT', 'Walmart Inc.', 'N', 93, 1.2, 1, 1.0, 0.42],
  ['C', 'Citigroup Inc.', 'N', 71, 1.8, 1, 1.0, 0.64],
  ['XOM', 'Exxon Mobil Corporation', 'N', 110, 1.5, 1, 1.0, 0.42],
  ['UBER', 'Uber Technologies, Inc.', 'N', 68, 2.3, 1, 1.1],
  ['MU', 'Micron Technology, Inc.', 'Q', 100, 2.9, 2, 1.2, 0.62],
  ['CSCO', 'Cisco Systems, Inc.', 'Q', 59, 1.2, 1, 0.9],
  ['WFC', 'Wells Fargo & Company', 'N', 72, 1.6, 1, 1.0, 0.62],
  ['NFLX', 'Netflix, Inc.', 'Q', 900, 2.1, 40, 0.9, 0.55],
  ['BA', 'The Boeing Company', 'N', 160, 2.1, 4, 1.0],
  ['ORCL', 'Oracle Corporation', 'N', 175, 2.0, 4, 1.0],
  ['AVGO', 'Broadcom Inc.', 'Q', 175, 2.6, 3, 1.2, 0.66],
  ['CRM', 'Salesforce, Inc.', 'N', 330, 2.0, 8, 0.8],
  ['GLD', 'SPDR Gold Shares', 'P', 245, 0.9, 1, 1.0, 0.1],
  ['TLT', 'iShares 20+ Year Treasury Bond ETF', 'Q', 90, 0.9, 1, 1.1, -0.15],
  ['V', 'Visa Inc.', 'N', 312, 1.1, 4, 0.8],
  ['MA', 'Mastercard Incorporated', 'N', 525, 1.2, 12, 0.7],
  ['HD', 'The Home Depot, Inc.', 'N', 410, 1.3, 10, 0.7],
  ['SBUX', 'Starbucks Corporation', 'Q', 98, 1.6, 1, 0.9],
  ['PYPL', 'PayPal Holdings, Inc.', 'Q', 86, 2.2, 1, 1.0],
  ['SQ', 'Block, Inc.', 'N', 88, 3.2, 3, 0.9],
  ['NKE', 'NIKE, Inc.', 'N', 76, 1.8, 1, 0.9],
  ['GM', 'General Motors Company', 'N', 54, 2.0, 1, 0.9],
  ['VZ', 'Verizon Communications Inc.', 'N', 41, 1.1, 1, 0.9, 0.3],
  ['CVX', 'Chevron Corporation', 'N', 155, 1.4, 2, 0.8, 0.42],
  ['PG', 'The Procter & Gamble Company', 'N', 172, 0.9, 2, 0.8, 0.35],
  ['JNJ', 'Johnson & Johnson', 'N', 148, 1.0, 2, 0.8, 0.3],
  ['MRK', 'Merck & Co., Inc.', 'N', 98, 1.3, 1, 0.8, 0.3],
  ['ABBV', 'AbbVie Inc.', 'N', 175, 1.4, 3, 0.7, 0.3],
  ['COST', 'Costco Wholesale Corporation', 'Q', 960, 1.2, 45, 0.6],
  ['PEP', 'PepsiCo, Inc.', 'Q', 152, 1.0, 2, 0.8, 0.35],
  ['QCOM', 'QUALCOMM Incorporated', 'Q', 158, 2.0, 3, 0.9],
  ['TXN', 'Texas Instruments Incorporated', 'Q', 190, 1.8, 4, 0.7],
  ['GE', 'GE Aerospace', 'N', 175, 1.8, 5, 0.7],
  ['CAT', 'Caterpillar Inc.', 'N', 365, 1.7, 15, 0.6],
  ['GS', 'The Goldman Sachs Group, Inc.', 'N', 580, 1.6, 30, 0.6],
  ['MS', 'Morgan Stanley', 'N', 125, 1.6, 2, 0.8],
  ['SCHW', 'The Charles Schwab Corporation', 'N', 75, 1.7, 1, 0.8],
  ['DAL', 'Delta Air Lines, Inc.', 'N', 62, 2.3, 1, 0.9],
  ['AAL', 'American Airlines Group Inc.', 'Q', 16, 2.7, 1, 1.0],
  ['UAL', 'United Airlines Holdings, Inc.', 'Q', 95, 2.6, 3, 0.8],
  ['COIN', 'Coinbase Global, Inc.', 'Q', 270, 4.3, 15, 1.1, 0.5],
  ['MARA', 'MARA Holdings, Inc.', 'Q', 20, 5.5, 1, 1.2, 0.45],
  ['RIVN', 'Rivian Automotive, Inc.', 'Q', 13, 4.0, 1, 1.0],
  ['NIO', 'NIO Inc.', 'N', 4.6, 3.8, 1, 1.0, 0.4],
  ['LCID', 'Lucid Group, Inc.', 'Q', 2.9, 4.0, 1, 1.0, 0.4],
  ['SNAP', 'Snap Inc.', 'N', 11, 3.4, 1, 1.0],
  ['SHOP', 'Shopify Inc.', 'Q', 108, 3.0, 4, 0.9],
  ['ROKU', 'Roku, Inc.', 'Q', 78, 3.2, 5, 0.8],
  ['DKNG', 'DraftKings Inc.', 'Q', 41, 2.8, 1, 0.8],
  ['HOOD', 'Robinhood Markets, Inc.', 'Q', 38, 4.0, 1, 1.1],
  ['SMCI', 'Super Micro Computer, Inc.', 'Q', 38, 5.0, 2, 1.2],
  ['ARM', 'Arm Holdings plc', 'Q', 140, 3.3, 8, 0.9],
  ['BABA', 'Alibaba Group Holding Limited', 'N', 88, 2.5, 1, 1.0, 0.4],
  ['XLE', 'Energy Select Sector SPDR', 'P', 90, 1.4, 1, 0.9, 0.45],
  ['XLK', 'Technology Select Sector SPDR', 'P', 232, 1.4, 2, 0.9, 0.93],
  ['XLP', 'Consumer Staples Select Sector SPDR', 'P', 79, 0.7, 1, 0.7, 0.5],
  ['EEM', 'iShares MSCI Emerging Markets ETF', 'P', 43, 1.0, 1, 0.9, 0.65],
  ['DIA', 'SPDR Dow Jones Industrial Average ETF', 'P', 430, 0.9, 6, 0.9, 0.93],
  ['SLV', 'iShares Silver Trust', 'P', 28, 1.7, 1, 0.9, 0.15],
  ['TZA', 'Direxion Daily Small Cap Bear 3X', 'P', 13, 4.1, 1, 0.9, -0.87],
  ['VXX', 'iPath Series B S&P 500 VIX Futures ETN', 'P', 44, 4.6, 2, 0.9, -0.75],
];

const EXCHANGES = { N: 'NYSE', Q: 'NASDAQ', P: 'ARCA' } as const;

/** The well-known names, the liveliest first. */
export const LISTINGS: readonly Listing[] = ROWS.map(
  ([symbol, name, exchange, price, dailyVolatility, spreadTicks, activity, correlation = 0.6]) => ({
    symbol: symbol as Ticker,
    name,
    exchange: EXCHANGES[exchange],
    price,
    dailyVolatility,
    spreadTicks,
    activity,
    correlation,
  }),
);

const BY_SYMBOL = new Map<string, Listing>(LISTINGS.map((listing) => [listing.symbol, listing]));

/** A well-known name, or `null`. */
export const listingOf = (symbol: string): Listing | null => BY_SYMBOL.get(symbol) ?? null;

/** A believable market for a symbol we do not know; the same one every time. */
export function inventListing(symbol: Ticker): Listing {
  const random = createRandom(`listing/${symbol}`);
  const price = Math.min(900, Math.max(3, Math.exp(3.7 + 0.9 * random.normal())));
  const dailyVolatility = Math.min(6, Math.max(0.8, 2 * Math.exp(0.4 * random.normal())));
  const relative = Math.max(1, (price / 60) * Math.exp(0.4 * random.normal()));
  return {
    symbol,
    name: `${symbol} Holdings, Inc.`,
    exchange: random.pick(['NYSE', 'NASDAQ', 'NASDAQ']),
    price: Math.round(price * 100) / 100,
    dailyVolatility,
    spreadTicks: Math.round(relative),
    activity: Math.min(1, 0.5 * Math.exp(0.5 * random.normal())),
    correlation: random.between(0.3, 0.7),
  };
}

/** The first `count` symbols: well-known ones, then made-up ones (`XAAA`, `XAAB`, ...), up to 5,000 and beyond. */
export function marketSymbols(count: number): readonly Ticker[] {
  const letter = (n: number): string => String.fromCharCode(65 + (n % 26));
  return Array.from({ length: count }, (_, index) => {
    const known = LISTINGS[index];
    if (known !== undefined) return known.symbol;
    const n = index - LISTINGS.length;
    return `X${letter(Math.floor(n / 676))}${letter(Math.floor(n / 26))}${letter(n)}` as Ticker;
  });
}
