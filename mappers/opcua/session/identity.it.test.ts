import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { EndpointDescription, UserTokenType } from 'node-opcua-client'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import type { SecurityPolicyName } from '../config.ts'
import opcua from '../index.ts'
import { configOf } from '../testing/client.ts'
import { policyUri } from './endpoint.ts'
import { type Ground, identityOf } from './identity.ts'

const folder = temporaryFolder('skerry-identity-')
const passwordFile = join(folder, 'password')
writeFileSync(passwordFile, 'secret 1\n', { mode: 0o600 })

/** Of an endpoint of that policy, whose users may come with a password under these policies; undefined is what it says of itself. */
function identify(
  ground: Ground,
  policy: SecurityPolicyName,
  tokens: readonly (SecurityPolicyName | undefined)[],
  more: object = {},
) {
  const endpoint = new EndpointDescription({
    securityPolicyUri: policyUri(policy),
    userIdentityTokens: tokens.map((token, at) => ({
      policyId: String(at),
      tokenType: UserTokenType.UserName,
      securityPolicyUri: token === undefined ? null : policyUri(token),
    })),
  })
  return identityOf(configOf({ url: 'opc.tcp://plc:4840', username: 'anna', passwordFile, ...more }), endpoint, ground)
}

const UNENCRYPTED =
  /would get the password without encryption; use securityMode SignAndEncrypt, or allow it with plainPassword/

describe('a password', () => {
  const [open, signed, encrypted] = [
    { mode: 'None', hasCertificate: true },
    { mode: 'Sign', hasCertificate: true },
    { mode: 'SignAndEncrypt', hasCertificate: true },
  ] as const

  it('goes where the messages, or the token itself, are encrypted', async () => {
    for (const [ground, policy, tokens] of [
      [encrypted, 'Basic256Sha256', ['None']],
      [signed, 'Basic256Sha256', [undefined]],
      [signed, 'Basic256Sha256', ['None', 'Basic256Sha256']],
      [open, 'None', ['Basic256Sha256']],
    ] as const) {
      const identity = await identify(ground, policy, tokens)
      assert.deepEqual(identity, { type: UserTokenType.UserName, userName: 'anna', password: 'secret 1' })
    }
  })

  it('goes nowhere in clear unless the device says so', async () => {
    for (const [ground, policy, tokens] of [
      [signed, 'Basic256Sha256', ['None']],
      [open, 'None', [undefined]],
      [open, 'None', ['None']],
    ] as const) {
      await assert.rejects(identify(ground, policy, tokens), UNENCRYPTED)
      await identify(ground, policy, tokens, { plainPassword: true })
    }
  })

  it('goes nowhere where there is no certificate to encrypt it with, whatever the token promises', async () => {
    await assert.rejects(identify({ ...open, hasCertificate: false }, 'None', ['Basic256Sha256']), UNENCRYPTED)
  })

  it('is not named by its text, which no message repeats', () => {
    assert.throws(
      () => connectionKeyOf('hunter2'),
      (error: Error) => /passwordFile names a file/.test(error.message) && !error.message.includes('hunter2'),
    )
  })
})

function connectionKeyOf(password: string): string {
  return opcua.connectionKey(configOf({ url: 'opc.tcp://plc:4840', username: 'anna', password }))
}
