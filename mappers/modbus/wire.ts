import type { Table } from './config.ts'

/** One Modbus link. Requests must not overlap. Everything thrown but a ModbusException means that the link is lost. */
export interface Wire extends AsyncDisposable {
  /** Registers as numbers of 16 bits, bits as 0 and 1. */
  read(unitId: number, table: Table, start: number, length: number, signal: AbortSignal): Promise<readonly number[]>
  writeCoil(unitId: number, address: number, on: boolean, signal: AbortSignal): Promise<void>
  /** One register by function 6, several by function 16. */
  writeRegisters(unitId: number, start: number, words: readonly number[], signal: AbortSignal): Promise<void>
}
