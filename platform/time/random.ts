import { randomBytes, randomUUID } from 'node:crypto'

/** The only source of chance. Handed in by the composition root; simulations bring a seeded one. */
export interface Random {
  /** 0 (included) to 1 (excluded). */
  next(): number
  bytes(count: number): Uint8Array
  uuid(): string
}

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
}
