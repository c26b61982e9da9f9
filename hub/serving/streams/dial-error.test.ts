import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { DeadlineError } from '../../../platform/time/index.ts'
import { dialError } from './dial-error.ts'

const PLACE = { host: '10.0.0.1', port: 10250 }

test('a node that cannot be reached is told as upstream tells it', () => {
  const late = new DeadlineError('late')
  const failed = (code: string) => Object.assign(new Error(`said ${code}`), { code })
  const around = (code: string, cause: unknown) => new UnavailableError('It broke', { code, cause })
  for (const [error, told] of [
    [late, 'dial tcp 10.0.0.1:10250: i/o timeout'],
    [around('HUB_STREAM_SILENT', late), 'dial tcp 10.0.0.1:10250: i/o timeout'],
    [failed('ECONNREFUSED'), 'dial tcp 10.0.0.1:10250: connect: connection refused'],
    [around('HUB_STREAM_CUT_OFF', failed('ECONNREFUSED')), 'dial tcp 10.0.0.1:10250: connect: connection refused'],
    [around('HUB_STREAM_CUT_OFF', failed('ECONNRESET')), 'EOF'],
    [around('HUB_STREAM_CUT_OFF', undefined), 'EOF'],
    [failed('ENOTFOUND'), 'dial tcp: lookup 10.0.0.1: no such host'],
    [failed('CERT_HAS_EXPIRED'), 'tls: failed to verify certificate: x509: said CERT_HAS_EXPIRED'],
    [new Error('something else'), 'something else'],
  ] as const)
    assert.equal(dialError(error, PLACE), told)
})
