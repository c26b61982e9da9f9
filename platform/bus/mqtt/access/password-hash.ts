import { createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { PasswordHash } from './password-lines.ts'

/** A third of a second on a small gateway; a password that was right once is not derived again. */
const ITERATIONS = 100_000
/** As mosquitto's. */
const SALT_BYTES = 12
const HASH_BYTES = 64

const derive = promisify(pbkdf2)

export async function hashPassword(password: Uint8Array, iterations: number = ITERATIONS): Promise<PasswordHash> {
  const salt = randomBytes(SALT_BYTES)
  return { kind: 'pbkdf2', iterations, salt, hash: await derive(password, salt, iterations, HASH_BYTES, 'sha512') }
}

/** In the thread pool, and in a time that does not depend on how much of it was right. */
export async function isPassword(password: Uint8Array, expected: PasswordHash): Promise<boolean> {
  const { salt, hash } = expected
  const made =
    expected.kind === 'sha512'
      ? createHash('sha512').update(password).update(salt).digest()
      : await derive(password, salt, expected.iterations, HASH_BYTES, 'sha512')
  return timingSafeEqual(made, hash)
}
