import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { DeadlineError } from '../../../platform/time/index.ts'
import { refusal } from '../testing/scripted-channel.ts'
import { pullFailure } from './pull-failure.ts'

const RESOLVE = 'failed to pull and unpack image "r.io/a:1": failed to resolve reference "r.io/a:1": '

test('a registry that is not reached is told from one that says no', () => {
  const away = [
    `${RESOLVE}failed to do request: Head "https://r.io/v2/a/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused`,
    `${RESOLVE}failed to do request: Head "https://r.io/v2/a/manifests/1": dial tcp: lookup r.io on 127.0.0.53:53: server misbehaving`,
    `${RESOLVE}failed to do request: Head "https://r.io/v2/a/manifests/1": net/http: TLS handshake timeout`,
    `${RESOLVE}failed to do request: Head "https://r.io/v2/a/manifests/1": EOF`,
    `${RESOLVE}unexpected status from HEAD request to https://r.io/v2/a/manifests/1: 503 Service Unavailable`,
    `${RESOLVE}pulling from host r.io failed with status code [manifests 1]: 429 Too Many Requests`,
    'failed to copy: httpReadSeeker: failed open: read tcp 10.0.0.2:4->1.2.3.4:443: read: connection reset by peer',
    'initializing source docker://r.io/a:1: pinging container registry r.io: Get "https://r.io/v2/": dial tcp 1.2.3.4:443: i/o timeout',
    'RegistryUnavailable: pinging container registry r.io',
  ]
  for (const words of away) assert.equal(pullFailure(refusal(words)).isUnreachable, true, words)
  const answers = [
    `${RESOLVE}r.io/a:1: not found`,
    `${RESOLVE}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
    `${RESOLVE}failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized`,
    `${RESOLVE}failed to do request: Head "https://r.io/v2/a/manifests/1": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    'failed to extract layer sha256:50: no space left on device',
    'SignatureValidationFailed: the signature was made before the dial tcp connection refused',
  ]
  for (const words of answers) assert.equal(pullFailure(refusal(words)).isUnreachable, false, words)
})

test('reasons that the interface of runtimes names are shown, and the runtime’s own death is nobody else’s', () => {
  assert.equal(pullFailure(refusal('RegistryUnavailable: away')).reason, 'RegistryUnavailable')
  assert.equal(pullFailure(refusal('SignatureValidationFailed: bad')).reason, 'SignatureValidationFailed')
  const died = new UnavailableError('The container runtime does not answer', {
    code: 'EDGED_RUNTIME_UNAVAILABLE',
    cause: new Error('connection refused'),
  })
  assert.equal(pullFailure(died).isUnreachable, false)
  assert.equal(pullFailure(new DeadlineError('no answer within 5 ms')).isUnreachable, true)
})
