import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { listen } from '../../../platform/http/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { kubectl } from '../../apiserver/testing/kubectl.ts'
import { playStreams } from '../../streaming/testing/played-streams.ts'
import { ask } from './testing/ask.ts'
import { clusterTokens } from './testing/cluster-tokens.ts'
import { access, pod } from './testing/objects.ts'
import { serveTestNode } from './testing/served-node.ts'

/** A node with a pod, whose Edged answers on its socket. */
async function served(t: TestContext) {
  const edged = join(temporaryFolder(), 'edged.sock')
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('till is open\n')
  })
  playStreams(server, {
    command: async ({ query, stdin, stdout }) => {
      stdout?.write(`${query.getAll('command').join(' ')}\n`)
      for await (const chunk of stdin ?? []) stdout?.write(String(chunk).toUpperCase())
      return 7
    },
  })
  await listen(server, { path: edged })
  const node = await serveTestNode({ edged })
  t.after(async () => {
    await node.stop()
    server.closeAllConnections()
    server.close()
  })
  node.cloud.isConnected = false
  await node.give('shop/pod/till', pod('till'))
  return { node, asked }
}

test('logs and commands of a pod go to Edged, without the cloud', { skip: needs('kubectl') }, async (t) => {
  const { node, asked } = await served(t)
  const log = await kubectl(node, ['logs', 'till', '--tail', '3'], { namespace: 'shop' })
  assert.equal(log.out, 'till is open\n', log.err)
  assert.deepEqual(asked, ['/containerLogs/shop/till/main?tailLines=3'])
  for (const sockets of ['true', 'false']) {
    const environment = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: sockets }
    const how = { namespace: 'shop', input: 'hello\n', environment }
    const { out, err, code } = await kubectl(node, ['exec', '-i', 'till', '--', 'cat', '-'], how)
    assert.deepEqual([out, code], ['cat -\nHELLO\n', 7], err)
  }
})

test('a service account needs the right for it, and reading is not enough to run something', async (t) => {
  const { node, asked } = await served(t)
  const issuer = clusterTokens()
  issuer.publish(node.cloud)
  node.cloud.isConnected = true
  const rules = [{ apiGroups: [''], resources: ['pods', 'pods/log', 'pods/exec'], verbs: ['get'] }]
  await node.give('shop/serviceaccountaccess/robot', access(rules))
  const token = issuer.issue()
  const at = '/api/v1/namespaces/shop/pods/till'
  assert.equal((await ask(node, { path: `${at}/log`, token })).text, 'till is open\n')
  const refused = await ask(node, { path: `${at}/exec?command=ls&stdout=1`, token })
  assert.equal(refused.status, 403)
  assert.match(refused.text, /cannot create resource \\"pods\/exec\\"/)
  assert.equal((await ask(node, { path: `${at}/log`, token: '' })).status, 403)
  assert.equal(asked.length, 1)
})

test('a node that runs no pods says so', async (t) => {
  const node = await serveTestNode()
  t.after(() => node.stop())
  await node.give('shop/pod/till', pod('till'))
  const answer = await ask(node, { path: '/api/v1/namespaces/shop/pods/till/log' })
  assert.equal(answer.status, 503)
  assert.match(answer.text, /this node runs no pods now/)
})
