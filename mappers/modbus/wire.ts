import type { Table } from './tables.ts'

/** Which unit is asked, and how patiently. */
export interface Target {
  readonly unitId: number
  /** ms until an answer has to begin. */
  readonly timeout: number
  /** ms between an answer and the next request to this unit. */
  readonly pause: number
}

/**
 * One Modbus link. Requests must not overlap. A Refusal is what a device answered, NoAnswer that nothing usable came in
 * time; everything else that is thrown means that the link is lost.
 */
export interface Wire extends AsyncDisposable {
  /** Registers as numbers of 16 bits, bits as 0 and 1; functions 1 to 4. */
  read(target: Target, table: Table, start: number, length: number, signal: AbortSignal): Promise<readonly number[]>
  /** Function 5. */
  writeCoil(target: Target, address: number, on: boolean, signal: AbortSignal): Promise<void>
  /** Function 15. */
  writeCoils(target: Target, start: number, values: readonly boolean[], signal: AbortSignal): Promise<void>
  /** Function 6. */
  writeRegister(target: Target, address: number, value: number, signal: AbortSignal): Promise<void>
  /** Function 16. */
  writeRegisters(target: Target, start: number, words: readonly number[], signal: AbortSignal): Promise<void>
  /** Function 22: only the bits of the mask. */
  maskWrite(target: Target, address: number, mask: number, bits: number, signal: AbortSignal): Promise<void>
  /** Function 23, with what was written read back. */
  readWrite(target: Target, start: number, words: readonly number[], signal: AbortSignal): Promise<void>
  /** Any other function; function and data of the request to those of the answer. */
  ask(target: Target, pdu: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
}
