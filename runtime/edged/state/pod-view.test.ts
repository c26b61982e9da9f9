import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aContainer, aView } from '../testing/a-pod.ts'
import { latestOf, newestFirst, readySandbox } from './pod-view.ts'

test('what was made after the clock was set back is the newest all the same', () => {
  const [before, after] = [
    { ...aContainer('app', { state: 'exited' }), createdAt: 9000 },
    { ...aContainer('app', { state: 'running', attempt: 1 }), createdAt: 50 },
  ]
  const { sandboxes } = aView([
    { id: 'after', isReady: true },
    { id: 'before', isReady: false },
  ])
  const seen = sandboxes.map((sandbox) => ({ ...sandbox, createdAt: sandbox.id === 'before' ? 9000 : 50 }))
  const view = {
    ...aView([]),
    sandboxes: seen.sort((a, b) => a.createdAt - b.createdAt).sort(newestFirst),
    containers: [before, after].sort(newestFirst),
  }
  assert.equal(readySandbox(view)?.id, 'after')
  assert.equal(latestOf(view, 'app')?.id, 'app-1')
})
