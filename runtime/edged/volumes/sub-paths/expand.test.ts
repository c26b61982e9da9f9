import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expandPath } from './expand.ts'

test('a path is filled in from the environment, and never with a name that is not there', () => {
  const environment = new Map([
    ['POD', 'till-0'],
    ['DAY', '$(POD)'],
    ['EMPTY', ''],
  ])
  assert.equal(expandPath('logs/$(POD)/$(DAY)$(EMPTY)', environment), 'logs/till-0/$(POD)')
  assert.equal(expandPath('$$(POD)/$x/$(', environment), '$(POD)/$x/$(')
  assert.throws(() => expandPath('$(NONE)', environment), /needs the variable NONE, which is not there/)
})
