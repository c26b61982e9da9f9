/** What a Modbus server serves. Throw ServerException to answer with an exception. */
export interface ModbusMemory {
  readBits(table: 'coil' | 'discrete', unitId: number, start: number, length: number): readonly boolean[]
  readRegisters(table: 'holding' | 'input', unitId: number, start: number, length: number): readonly number[]
  writeCoils(unitId: number, start: number, values: readonly boolean[]): void
  writeRegisters(unitId: number, start: number, values: readonly number[]): void
}

/** Modbus application protocol V1.1b3, section 7. */
export class ServerException extends Error {
  override readonly name = 'ServerException'
  readonly exception: number

  constructor(exception: number) {
    super(`Modbus exception ${exception}`)
    this.exception = exception
  }
}

export const ILLEGAL_FUNCTION = 1
export const ILLEGAL_ADDRESS = 2
export const ILLEGAL_VALUE = 3
export const DEVICE_FAILURE = 4
/** No unit with this id. On a serial line nobody answers then. */
export const GATEWAY_TARGET_SILENT = 11
