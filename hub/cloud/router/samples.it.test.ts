import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { isRule, isRuleEndpoint, type KubeObject, type Rule, type RuleEndpoint } from '../../../schemas/index.ts'
import { isKubeObject } from '../kubernetes/guards.ts'
import { endpointErrors, ruleErrors } from './rules/check-rule.ts'

test('each rule and endpoint of the samples is one that is followed', async () => {
  const objects: KubeObject[] = []
  for (const file of globSync('samples/rules/*.yaml')) {
    for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
      const object: unknown = document.toJS()
      assert.ok(isKubeObject(object), file)
      objects.push(object)
    }
  }
  const endpoints = objects.filter((each): each is RuleEndpoint => each.kind === 'RuleEndpoint' && isRuleEndpoint(each))
  const rules = objects.filter((each): each is Rule => each.kind === 'Rule' && isRule(each))
  const named = (name: string) => endpoints.find(({ metadata }) => metadata.name === name)
  for (const endpoint of endpoints) assert.deepEqual(endpointErrors(endpoint), [])
  for (const rule of rules) {
    const ends = { source: named(rule.spec.source), target: named(rule.spec.target) }
    assert.ok(ends.source && ends.target, rule.metadata.name)
    assert.deepEqual(ruleErrors(rule, ends), [], rule.metadata.name)
  }
  assert.deepEqual([endpoints.length, rules.length], [3, 5])
})
