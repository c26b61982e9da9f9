import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { generateKeyPair, pemOf } from '../../platform/certificates/index.ts'
import type { Authority } from '../../platform/certificates/issuing/index.ts'
import { daysFromNow, testAuthority } from '../../platform/certificates/testing/index.ts'
import { UnavailableError } from '../../platform/lifecycle/index.ts'
import { ask } from './testing/request.ts'
import { serveTestApi } from './testing/serve.ts'
import { podAtKubelet, serveKubelet } from './testing/served-kubelet.ts'

const LOG = '/api/v1/namespaces/default/pods/web/log'
const METRICS = '/apis/metrics.k8s.io/v1beta1/nodes'

test('a kubelet with a certificate of the authority for its address is read', async (t) => {
  const authority = await testAuthority()
  const at = await played(t, await shown(authority), () => authority.certificatePem)
  const { status, text } = await at.log()
  assert.deepEqual([status, text], [200, 'of the pod\n'])
})

test('an impostor with a certificate of another authority hears nothing at all', async (t) => {
  const authority = await testAuthority()
  const impostor = await testAuthority()
  const at = await played(t, await shown(impostor), () => authority.certificatePem)
  const { status, text } = await at.log()
  assert.equal(status, 500)
  assert.match(text, /tls: failed to verify certificate: x509: /)
  const exec = '/api/v1/namespaces/default/pods/web/exec?command=ls&stdout=true'
  const upgrade = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' }
  assert.equal((await ask(at.api, { method: 'POST', path: exec, headers: upgrade })).status, 500)
  const proxied = await ask(at.api, { path: '/api/v1/nodes/edge/proxy/pods' })
  assert.match(proxied.text, /error trying to reach service.*x509/)
  assert.deepEqual(Object((await ask(at.api, { path: METRICS })).json).items, [])
  assert.deepEqual(at.asked, [])
})

test('a certificate for another address, or one that has ended, is none for this one', async (t) => {
  const authority = await testAuthority()
  for (const wrong of [{ ipAddresses: ['192.0.2.1'] }, { dnsNames: ['127.0.0.1'], ipAddresses: [] }, { days: -1 }]) {
    const at = await played(t, await shown(authority, wrong), () => authority.certificatePem)
    const { status, text } = await at.log()
    assert.equal(status, 500, JSON.stringify(wrong))
    assert.match(text, /tls: failed to verify certificate: x509: /)
    assert.deepEqual(at.asked, [])
  }
})

test('where no authority is named for an address, and for who says so himself, a certificate is taken as it is', async (t) => {
  const impostor = await testAuthority()
  const places: string[] = []
  const foreign = await played(t, await shown(impostor), (host) => {
    places.push(host)
    return undefined
  })
  assert.deepEqual([(await foreign.log()).text, places], ['of the pod\n', ['127.0.0.1']])
  const authority = await testAuthority()
  const own = await played(t, await shown(impostor), () => authority.certificatePem)
  const path = `${LOG}?insecureSkipTLSVerifyBackend=true`
  assert.equal((await ask(own.api, { path })).text, 'of the pod\n')
})

test('while nobody knows the authority yet, nobody is reached', async (t) => {
  const at = await played(t, await shown(await testAuthority()), () => {
    throw new UnavailableError('not open yet', { code: 'TEST_NOT_OPEN' })
  })
  const { status, text } = await at.log()
  assert.equal(status, 500)
  assert.match(text, /not open yet/)
  assert.deepEqual(at.asked, [])
})

interface Shown {
  readonly ipAddresses?: readonly string[]
  readonly dnsNames?: readonly string[]
  /** Until when it is valid, from now. */
  readonly days?: number
}

/** A serving certificate of that authority. */
async function shown(
  authority: Authority,
  { ipAddresses = ['127.0.0.1'], dnsNames = ['localhost'], days = 1 }: Shown = {},
): Promise<{ readonly cert: string; readonly key: string }> {
  const { publicKeyDer: publicKey, privateKeyPem: key } = await generateKeyPair()
  const certificate = await authority.issue({
    ...{ publicKey, ipAddresses, dnsNames, usages: ['serverAuth'] },
    subject: { commonName: 'kubelet', organizations: [] },
    notBefore: daysFromNow(-2),
    notAfter: daysFromNow(days),
  })
  return { cert: pemOf(certificate, 'CERTIFICATE'), key }
}

/** An API that asks for the authority of each address, and a node with a pod whose kubelet shows that certificate. */
async function played(
  t: TestContext,
  shows: { readonly cert: string; readonly key: string },
  authorityAt: (host: string) => string | undefined,
) {
  const api = await serveTestApi(t, { authorityAt })
  const { asked, port } = await serveKubelet(t, api, {
    shows,
    command: async () => 0,
    answer: (_request, response) => response.end('of the pod\n'),
  })
  await podAtKubelet(api, port)
  return { api, asked, log: () => ask(api, { path: LOG }) }
}
