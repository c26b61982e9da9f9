import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memberText } from './json-member.ts'

test('a member is found as it was written, digits and all', () => {
  const text = '{"a":{"payload":1,"x":[":",","]} , "payload" : {"n":12345678901234567890.10,"s":"}\\"," } ,"z":[]}'
  assert.equal(memberText(text, 'payload'), '{"n":12345678901234567890.10,"s":"}\\"," }')
  assert.equal(memberText('{"payload":"a,b"}', 'payload'), '"a,b"')
  assert.equal(memberText('{"payload":null}', 'payload'), 'null')
  assert.equal(memberText('{"pay\\u006coad":[1,2]}', 'payload'), '[1,2]')
  assert.equal(memberText('{"payload":1,"payload":2}', 'payload'), '2')
  assert.equal(memberText('{"other":{"payload":1}}', 'payload'), undefined)
  assert.equal(memberText('["payload",1]', 'payload'), undefined)
  assert.equal(memberText('{}', 'payload'), undefined)
})
