import { Linear } from './linear.ts'
import { exactly, over, rational, times } from './rational.ts'

/** One unit: base = value * factor + shift, and other ways to write it. */
type Row = readonly [symbol: string, factor: string, aliases?: readonly string[], shift?: string]

const PI_OVER_180 = '0.017453292519943295'

/**
 * Every unit that values can be converted between, by quantity; factors lead to the first unit of the quantity. A factor may be a
 * fraction. Data, exact by definition where there is one (SI brochure, NIST SP 811).
 */
const QUANTITIES: Readonly<Record<string, readonly Row[]>> = {
  temperature: [
    ['K', '1', ['kelvin']],
    ['°C', '1', ['C', 'degC', 'celsius', 'Cel'], '273.15'],
    ['°F', '5/9', ['F', 'degF', 'fahrenheit'], '45967/180'],
    ['°R', '5/9', ['degR', 'rankine']],
  ],
  pressure: [
    ['Pa', '1', ['pascal']],
    ['hPa', '100'],
    ['kPa', '1000'],
    ['MPa', '1000000'],
    ['mbar', '100'],
    ['bar', '100000'],
    ['atm', '101325'],
    ['psi', '6894.757293168361', ['lbf/in²', 'lbf/in2']],
    ['Torr', '101325/760'],
    ['mmHg', '133.322387415'],
    ['inHg', '3386.388640341'],
    ['mmH2O', '9.80665', ['mmH₂O']],
    ['mH2O', '9806.65', ['mH₂O']],
    ['inH2O', '249.08891', ['inH₂O']],
  ],
  length: [
    ['m', '1', ['meter', 'metre']],
    ['nm', '0.000000001'],
    ['µm', '0.000001', ['um', 'μm']],
    ['mm', '0.001'],
    ['cm', '0.01'],
    ['dm', '0.1'],
    ['km', '1000'],
    ['in', '0.0254', ['inch']],
    ['ft', '0.3048', ['feet', 'foot']],
    ['yd', '0.9144'],
    ['mi', '1609.344', ['mile']],
    ['nmi', '1852'],
  ],
  area: [
    ['m²', '1', ['m2']],
    ['mm²', '0.000001', ['mm2']],
    ['cm²', '0.0001', ['cm2']],
    ['ha', '10000'],
    ['km²', '1000000', ['km2']],
    ['in²', '0.00064516', ['in2']],
    ['ft²', '0.09290304', ['ft2']],
  ],
  volume: [
    ['m³', '1', ['m3']],
    ['mL', '0.000001', ['ml', 'cm³', 'cm3']],
    ['L', '0.001', ['l', 'dm³', 'dm3', 'liter', 'litre']],
    ['hL', '0.1', ['hl']],
    ['in³', '0.000016387064', ['in3']],
    ['ft³', '0.028316846592', ['ft3']],
    ['gal', '0.003785411784', ['gal(US)']],
    ['gal(UK)', '0.00454609'],
    ['bbl', '0.158987294928'],
  ],
  'volume flow': [
    ['m³/s', '1', ['m3/s']],
    ['m³/min', '1/60', ['m3/min']],
    ['m³/h', '1/3600', ['m3/h']],
    ['L/s', '0.001', ['l/s']],
    ['L/min', '0.001/60', ['l/min', 'lpm']],
    ['L/h', '0.001/3600', ['l/h']],
    ['mL/min', '0.000001/60', ['ml/min']],
    ['ft³/min', '0.028316846592/60', ['ft3/min', 'cfm']],
    ['gal/min', '0.003785411784/60', ['gpm']],
  ],
  mass: [
    ['kg', '1'],
    ['mg', '0.000001'],
    ['g', '0.001'],
    ['t', '1000'],
    ['oz', '0.028349523125'],
    ['lb', '0.45359237'],
  ],
  'mass flow': [
    ['kg/s', '1'],
    ['kg/min', '1/60'],
    ['kg/h', '1/3600'],
    ['g/s', '0.001'],
    ['t/h', '1000/3600'],
    ['lb/h', '0.45359237/3600'],
  ],
  density: [
    ['kg/m³', '1', ['kg/m3', 'g/L']],
    ['g/cm³', '1000', ['g/cm3', 'kg/L']],
    ['mg/L', '0.001', ['g/m³', 'g/m3']],
    ['µg/m³', '0.000000001', ['ug/m3', 'μg/m³', 'µg/m3']],
    ['mg/m³', '0.000001', ['mg/m3']],
  ],
  speed: [
    ['m/s', '1'],
    ['mm/s', '0.001'],
    ['m/min', '1/60'],
    ['km/h', '1000/3600', ['kmh', 'kph']],
    ['ft/s', '0.3048'],
    ['mph', '0.44704'],
    ['kn', '1852/3600', ['kt']],
  ],
  acceleration: [
    ['m/s²', '1', ['m/s2']],
    ['gₙ', '9.80665', ['g0', 'gn']],
  ],
  frequency: [
    ['Hz', '1', ['1/s']],
    ['mHz', '0.001'],
    ['kHz', '1000'],
    ['MHz', '1000000'],
    ['GHz', '1000000000'],
    ['rpm', '1/60', ['1/min', 'r/min']],
  ],
  angle: [
    ['rad', '1'],
    ['mrad', '0.001'],
    ['°', PI_OVER_180, ['deg', 'degree']],
  ],
  time: [
    ['s', '1', ['sec']],
    ['µs', '0.000001', ['us', 'μs']],
    ['ms', '0.001'],
    ['min', '60'],
    ['h', '3600', ['hour']],
    ['d', '86400', ['day']],
  ],
  force: [
    ['N', '1'],
    ['kN', '1000'],
    ['kgf', '9.80665'],
    ['lbf', '4.4482216152605'],
  ],
  torque: [
    ['N·m', '1', ['Nm']],
    ['kN·m', '1000', ['kNm']],
    ['lbf·ft', '1.3558179483314004', ['lbf ft', 'ft·lbf']],
  ],
  energy: [
    ['J', '1'],
    ['kJ', '1000'],
    ['MJ', '1000000'],
    ['GJ', '1000000000'],
    ['Wh', '3600'],
    ['kWh', '3600000'],
    ['MWh', '3600000000'],
    ['GWh', '3600000000000'],
    ['cal', '4.184'],
    ['kcal', '4184'],
    ['BTU', '1055.05585262', ['Btu']],
  ],
  power: [
    ['W', '1'],
    ['mW', '0.001'],
    ['kW', '1000'],
    ['MW', '1000000'],
    ['GW', '1000000000'],
    ['PS', '735.49875'],
    ['hp', '745.6998715822702'],
    ['BTU/h', '1055.05585262/3600', ['Btu/h']],
  ],
  'apparent power': [
    ['VA', '1'],
    ['kVA', '1000'],
    ['MVA', '1000000'],
  ],
  'reactive power': [
    ['var', '1', ['VAr', 'VAR']],
    ['kvar', '1000', ['kVAr', 'kVAR']],
    ['Mvar', '1000000', ['MVAr', 'MVAR']],
  ],
  'reactive energy': [
    ['varh', '1', ['VArh']],
    ['kvarh', '1000', ['kVArh']],
    ['Mvarh', '1000000', ['MVArh']],
  ],
  voltage: [
    ['V', '1'],
    ['µV', '0.000001', ['uV', 'μV']],
    ['mV', '0.001'],
    ['kV', '1000'],
  ],
  current: [
    ['A', '1'],
    ['µA', '0.000001', ['uA', 'μA']],
    ['mA', '0.001'],
    ['kA', '1000'],
  ],
  charge: [
    ['Ah', '1'],
    ['mAh', '0.001'],
    ['As', '1/3600'],
  ],
  resistance: [
    ['Ω', '1', ['Ohm', 'ohm', '\u2126']],
    ['mΩ', '0.001', ['mOhm']],
    ['kΩ', '1000', ['kOhm']],
    ['MΩ', '1000000', ['MOhm']],
  ],
  conductivity: [
    ['S/m', '1'],
    ['mS/cm', '0.1'],
    ['µS/cm', '0.0001', ['uS/cm', 'μS/cm']],
  ],
  illuminance: [
    ['lx', '1', ['lux']],
    ['klx', '1000'],
    ['fc', '10.763910416709722'],
  ],
  ratio: [
    ['1', '1'],
    ['%', '0.01', ['percent', '%RH', '%rH']],
    ['‰', '0.001'],
    ['ppm', '0.000001'],
    ['ppb', '0.000000001'],
  ],
}

interface Unit {
  readonly symbol: string
  readonly quantity: string
  readonly toBase: Linear
}

const UNITS: ReadonlyMap<string, Unit> = tableOf()

/** The symbols of every quantity, for the reference. */
export function knownUnits(): readonly { readonly quantity: string; readonly symbols: readonly string[] }[] {
  return Object.entries(QUANTITIES).map(([quantity, rows]) => ({ quantity, symbols: rows.map(([symbol]) => symbol) }))
}

export function isKnownUnit(symbol: string): boolean {
  return UNITS.has(symbol.trim())
}

export type UnitConversion =
  | { readonly ok: true; readonly linear: Linear }
  | { readonly ok: false; readonly at: 'from' | 'to'; readonly reason: string }

/** From values in one unit to values in another, or why that cannot be. */
export function convertUnit(from: string, to: string): UnitConversion {
  const [source, target] = [UNITS.get(from.trim()), UNITS.get(to.trim())]
  if (!source) return { ok: false, at: 'from', reason: unknown(from, target) }
  if (!target) return { ok: false, at: 'to', reason: unknown(to, source) }
  if (source.quantity !== target.quantity) {
    const reason = `${from} is a unit of ${source.quantity} and ${to} one of ${target.quantity}: no value is both`
    return { ok: false, at: 'to', reason }
  }
  const { slope, shift } = target.toBase
  const back = new Linear(over(rational(1n), slope), over(times(shift, rational(-1n)), slope))
  return { ok: true, linear: source.toBase.followedBy(back) }
}

function unknown(symbol: string, other: Unit | undefined): string {
  const folded = symbol.trim().toLowerCase()
  const close = [...UNITS.keys()].find((each) => each.toLowerCase() === folded)
  const hint = close === undefined ? `write ${suggestions(other)}` : `did you mean ${close}?`
  return `${JSON.stringify(symbol)} is no unit that is known here; ${hint}`
}

function suggestions(other: Unit | undefined): string {
  if (!other) return 'a symbol such as °C, bar, kPa, mm, m³/h, kWh, kW or rpm'
  const symbols = QUANTITIES[other.quantity]?.map(([symbol]) => symbol) ?? []
  return `a unit of ${other.quantity}: ${symbols.join(', ')}`
}

function tableOf(): ReadonlyMap<string, Unit> {
  const table = new Map<string, Unit>()
  for (const [quantity, rows] of Object.entries(QUANTITIES)) {
    for (const [symbol, factor, aliases = [], shift = '0'] of rows) {
      const unit = { symbol, quantity, toBase: new Linear(fraction(factor), fraction(shift)) }
      for (const name of [symbol, ...aliases]) table.set(name, unit)
    }
  }
  return table
}

function fraction(text: string) {
  const [numerator = '0', denominator = '1'] = text.split('/')
  return over(exactly(numerator), exactly(denominator))
}
