import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from './errors.ts'
import { metricsOf, metricsPage } from './metrics.ts'

const found = (text: string) => metricsOf(parse('x.ts', text))

test('a metric in literals has its kind, help and labels', () => {
  assert.deepEqual(
    found(`metrics.counter({ name: 'skerry_x_total', help: 'Xs, ' + 'by cause.', labels: ['cause'] })`),
    [{ name: 'skerry_x_total', kind: 'counter', help: 'Xs, by cause.', labels: ['cause'] }],
  )
  assert.deepEqual(found(`const labels = ['queue']; m.gauge({ name: 'skerry_depth', help: 'Depth.', labels })`), [
    { name: 'skerry_depth', kind: 'gauge', help: 'Depth.', labels: ['queue'] },
  ])
})

test('a metric of a helper, of a tuple and of a name that is put together is found', () => {
  const helper = `const labels = ['store']
    const counter = (name, help) => metrics.counter({ name, help, labels })
    counter('skerry_writes_total', 'Writes of it.')`
  assert.deepEqual(found(helper), [
    { name: 'skerry_writes_total', kind: 'counter', help: 'Writes of it.', labels: ['store'] },
  ])
  const tuple = `const HELP = { reads: ['skerry_reads_total', 'Reads of it.'] }
    metrics.counter({ name, help, labels: ['mapper'] })`
  assert.deepEqual(found(tuple), [
    { name: 'skerry_reads_total', kind: 'counter', help: 'Reads of it.', labels: ['mapper'] },
  ])
  const composed = `for (const [name, help] of [['depth', 'How deep it is.']])
    metrics.gauge({ name: \`skerry_hub_\${name}\`, help, labels: ['x'] })`
  assert.deepEqual(found(composed), [
    { name: 'skerry_hub_depth', kind: 'gauge', help: 'How deep it is.', labels: ['x'] },
  ])
})

test('a metric whose meaning is not beside its name fails the generator', () => {
  assert.throws(
    () => found(`metrics.gauge({ name: 'skerry_depth', help })`),
    /x\.ts:1: the metric skerry_depth has no help/,
  )
})

test('the page names metrics of each half', () => {
  const page = metricsPage()
  for (const name of ['skerry_edgehub_connected', 'skerry_cloudhub_nodes', 'skerry_api_objects', 'skerry_twins']) {
    assert.ok(page.includes(`| \`${name}\` |`), name)
  }
})
