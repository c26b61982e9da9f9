export const TABLES = ['CoilRegister', 'DiscreteInputRegister', 'InputRegister', 'HoldingRegister'] as const
export type Table = (typeof TABLES)[number]

/** The tables as their first digit in the numbering of manuals: 40001 is the first holding register. */
const DIGITS: Readonly<Record<string, Table>> = {
  '0': 'CoilRegister',
  '1': 'DiscreteInputRegister',
  '3': 'InputRegister',
  '4': 'HoldingRegister',
}

export function isBitTable(table: Table): boolean {
  return table === 'CoilRegister' || table === 'DiscreteInputRegister'
}

export function isReadOnlyTable(table: Table): boolean {
  return table === 'InputRegister' || table === 'DiscreteInputRegister'
}

/** Five or six digits as manuals print them, counted from 1, e.g. 40001 or 400001; undefined for what is none. */
export function parseAddress(text: string): { readonly register: Table; readonly offset: number } | undefined {
  if (!/^[0134]\d{4,5}$/.test(text)) return undefined
  const register = DIGITS[text.slice(0, 1)]
  const number = Number(text.slice(1))
  if (register === undefined || number < 1 || number > 65_536) return undefined
  return { register, offset: number - 1 }
}
