import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashPassword, isPassword } from './password-hash.ts'
import {
  type PasswordHash,
  parsePasswordLines,
  passwordLine,
  refuseUserName,
  withPasswordLine,
} from './password-lines.ts'

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((each) => Buffer.from(each))
const hashes: fc.Arbitrary<PasswordHash> = fc.oneof(
  fc.record({ kind: fc.constant('sha512' as const), salt: bytes(12), hash: bytes(64) }, { noNullPrototype: true }),
  fc.record(
    {
      ...{ kind: fc.constant('pbkdf2' as const), iterations: fc.integer({ min: 1, max: 1_000_000 }) },
      ...{ salt: bytes(12), hash: bytes(64) },
    },
    { noNullPrototype: true },
  ),
)
const names = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => refuseUserName(name) === undefined)

test('a line is read as it was written', () => {
  fc.assert(
    fc.property(names, hashes, (name, hash) => {
      const { users, bad } = parsePasswordLines(`${passwordLine(name, hash)}\n`)
      assert.deepEqual([[...users], bad], [[[name, hash]], []])
    }),
  )
})

test('setting and removing a name leaves all other lines', () => {
  const text = '# by hand\n\nann:$7$1$YQ==$YQ==\nbob:x\nann:second\n'
  assert.equal(withPasswordLine(text, 'bob', 'bob:new'), '# by hand\n\nann:$7$1$YQ==$YQ==\nbob:new\nann:second\n')
  assert.equal(withPasswordLine(text, 'ann', undefined), '# by hand\n\nbob:x\n')
  assert.equal(withPasswordLine(text, 'ann', 'ann:new'), '# by hand\n\nann:new\nbob:x\n')
  assert.equal(withPasswordLine('bob:x', 'ann', 'ann:new'), 'bob:x\nann:new\n')
  assert.equal(withPasswordLine('', 'ann', 'ann:new'), 'ann:new\n')
  fc.assert(
    fc.property(fc.uniqueArray(names, { minLength: 2, maxLength: 5 }), (all) => {
      const [name = '', ...others] = all
      const file = all.map((each) => `${each}:$6$YQ==$YQ==\n`).join('')
      assert.equal(withPasswordLine(file, name, undefined), others.map((each) => `${each}:$6$YQ==$YQ==\n`).join(''))
    }),
  )
})

test('lines that nobody can log in with are told by their number, never by their text', () => {
  const hash = Buffer.alloc(64, 1).toString('base64')
  const lines = [
    'ann:plain-secret',
    'no colon',
    ':$6$YQ==$YQ==',
    'bob:$7$many$YQ==$YQ==',
    `bob:$7$0$YQ==$${hash}`,
    `bob:$7$99999999999$YQ==$${hash}`,
    'bob:$6$YQ==$c2hvcnQ=',
    `bob:$6$$${hash}`,
    'bob:$argon2id$v=19$x',
    `bob:$6$YQ==$${hash}`,
    `bob:$6$YQ==$${hash}`,
  ]
  const { users, bad } = parsePasswordLines(lines.join('\r\n'))
  assert.deepEqual([...users.keys()], ['bob'])
  assert.deepEqual(
    bad.map(({ line }) => line),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 11],
  )
  assert.ok(!JSON.stringify(bad).includes('secret'))
})

test('names that such a file cannot hold are refused', () => {
  for (const name of ['', 'a:b', 'a\nb', 'a\u0000', ' a', 'a ', '#a', 'x'.repeat(257)])
    assert.ok(refuseUserName(name), name)
  for (const name of ['a', 'heating app', 'ü', 'a@b', 'x'.repeat(256)])
    assert.equal(refuseUserName(name), undefined, name)
})

test('a password is right for its own hash alone', async () => {
  const made = await hashPassword(Buffer.from('right'), 10)
  const again = await hashPassword(Buffer.from('right'), 10)
  assert.notDeepEqual(made.salt, again.salt)
  assert.ok(await isPassword(Buffer.from('right'), made))
  for (const wrong of ['', 'Right', 'right ', 'r']) assert.ok(!(await isPassword(Buffer.from(wrong), made)), wrong)
})
