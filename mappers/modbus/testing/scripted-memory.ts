import { ILLEGAL_ADDRESS, type ModbusMemory, ServerException } from '../../simulators/index.ts'

type Place = `${'coil' | 'discrete' | 'holding' | 'input'} ${number}`

/** The registers of a scripted device, the same for every unit id: what is not listed does not exist. */
export class ScriptedMemory implements ModbusMemory {
  readonly values: Map<string, number>
  /** Requests as they came, e.g. `holding 0+3`. */
  readonly reads: string[] = []
  /** Places that answer with this exception, also as part of a longer request. */
  readonly exceptions = new Map<string, number>()
  /** Called before every read; may throw. */
  onRead: () => void = () => undefined

  constructor(values: Readonly<Record<Place, number>>) {
    this.values = new Map(Object.entries(values))
  }

  readBits(table: 'coil' | 'discrete', _unitId: number, start: number, length: number): readonly boolean[] {
    return this.#read(table, start, length).map((value) => value !== 0)
  }

  readRegisters(table: 'holding' | 'input', _unitId: number, start: number, length: number): readonly number[] {
    return this.#read(table, start, length)
  }

  writeCoils(_unitId: number, start: number, values: readonly boolean[]): void {
    this.#write('coil', start, values.map(Number))
  }

  writeRegisters(_unitId: number, start: number, values: readonly number[]): void {
    this.#write('holding', start, values)
  }

  #read(table: string, start: number, length: number): readonly number[] {
    this.reads.push(`${table} ${start}+${length}`)
    this.onRead()
    return Array.from({ length }, (_, index) => this.values.get(this.#check(table, start + index)) ?? 0)
  }

  #write(table: string, start: number, values: readonly number[]): void {
    const places = values.map((_, index) => this.#check(table, start + index))
    for (const [index, place] of places.entries()) this.values.set(place, values[index] ?? 0)
  }

  #check(table: string, address: number): string {
    const place = `${table} ${address}`
    const exception = this.exceptions.get(place)
    if (exception !== undefined) throw new ServerException(exception)
    if (!this.values.has(place)) throw new ServerException(ILLEGAL_ADDRESS)
    return place
  }
}
