import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { mapperEdits, namedMapper, withMapperPaths } from './mapper-settings.ts'

const section = { isolation: 'process', heapMegabytes: 64, use: ['/a.js'] } as const

test('a mapper of the command line joins those that stand there, once', () => {
  assert.deepEqual(mapperEdits(undefined, ['./a.js', { mapper: '/b.js', isolation: 'process' }], ['/b.js', 'c', 'c']), {
    mappers: { use: ['./a.js', { mapper: '/b.js', isolation: 'process' }, 'c'] },
  })
  assert.deepEqual(mapperEdits(undefined, ['./a.js'], []), {})
})

test('the section of skerry up takes the place of what stands there', () => {
  assert.deepEqual(mapperEdits({ ...section, use: ['/a.js'] }, ['./old.js'], ['/a.js', '/b.js']), {
    mappers: { ...section, use: ['/a.js', '/b.js'] },
  })
})

test('on a command line what is there is a path, and anything else a package', () => {
  assert.equal(namedMapper('package.json'), resolve('package.json'))
  assert.equal(namedMapper('./nothing-here'), resolve('nothing-here'))
  assert.equal(namedMapper('skerry-mapper-thermo'), 'skerry-mapper-thermo')
})

test('in a file paths count from its folder', () => {
  const { mappers } = withMapperPaths({ mappers: { use: ['./a.js', { mapper: '../b' }, 'c', '/d'] } }, '/etc/skerry')
  assert.deepEqual(mappers.use, ['/etc/skerry/a.js', { mapper: '/etc/b' }, 'c', '/d'])
})
