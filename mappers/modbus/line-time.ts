/** How a serial line is set. */
export interface LineSettings {
  readonly baudRate: number
  readonly dataBits: number
  readonly parity: 'none' | 'even' | 'odd'
  readonly stopBits: number
}

/** Bytes of a request and of the answer to it as RTU frames, with unit and checksum. */
export interface Exchange {
  readonly request: number
  readonly answer: number
}

/** Modbus over serial line V1.02, 2.5.1.1: above this rate the silent intervals are fixed. */
const FIXED_ABOVE = 19_200
const FIXED_SILENCE_MS = 1.75

/** One character: start bit, data, parity, stop bits. The standard has 11 bits. */
export function characterMs({ baudRate, dataBits, parity, stopBits }: LineSettings): number {
  return ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1000) / baudRate
}

/** The silence that ends a frame, t3.5. */
export function silenceMs(line: LineSettings): number {
  return line.baudRate > FIXED_ABOVE ? FIXED_SILENCE_MS : 3.5 * characterMs(line)
}

/** How long the characters of one exchange are on the line, without the silences. */
export function charactersMs(line: LineSettings, { request, answer }: Exchange): number {
  return (request + answer) * characterMs(line)
}

/**
 * How long one exchange keeps a line: request, the silence that tells the device that it is over, what the device takes beyond
 * that, answer, and the silence before the next request.
 */
export function exchangeMs(line: LineSettings, exchange: Exchange, turnaround: number): number {
  return charactersMs(line, exchange) + 2 * silenceMs(line) + turnaround
}

/** The exchange that reads so many registers, or bits. */
export function readExchange(length: number, isBits: boolean): Exchange {
  return { request: 8, answer: 5 + (isBits ? Math.ceil(length / 8) : 2 * length) }
}
