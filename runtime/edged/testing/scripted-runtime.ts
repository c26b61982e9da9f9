import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { criMethods, type Message } from '../cri/methods.ts'

/** What a scripted runtime says to a request. To refuse, it throws a `Refusal`; a stream yields messages. */
export interface Scripts {
  [method: string]: (request: Message) => Message | Promise<Message> | AsyncIterable<Message>
}

/** An error as gRPC has them, with its status code. */
export class Refusal extends Error {
  readonly code: number

  constructor(code: number, details: string) {
    super(details)
    this.code = code
  }
}

/** A CRI server that does what a test says: slow, dying, forgetting. What has no script is not implemented. */
export class ScriptedRuntime implements AsyncDisposable {
  readonly socket: string
  readonly scripts: Scripts = {}
  readonly calls: { readonly method: string; readonly request: Message }[] = []
  readonly #folder: string
  #server: Server | undefined

  private constructor(folder: string) {
    this.#folder = folder
    this.socket = join(folder, 'cri.sock')
  }

  /** Nobody listens yet. */
  static async open(): Promise<ScriptedRuntime> {
    return new ScriptedRuntime(await mkdtemp(join(tmpdir(), 'skerry-cri-')))
  }

  async start(): Promise<void> {
    const server = new Server({ 'grpc.max_send_message_length': -1 })
    const definition: Record<string, ServiceDefinition[string]> = {}
    const implementation: UntypedServiceImplementation = {}
    for (const { name, path, isStream, request, response } of criMethods().values()) {
      definition[name] = {
        ...{ path, requestStream: false, responseStream: isStream },
        ...{ requestSerialize: request.encode, requestDeserialize: request.decode },
        ...{ responseSerialize: response.encode, responseDeserialize: response.decode },
      }
      implementation[name] = isStream ? this.#streaming(name) : this.#answering(name)
    }
    server.addService(definition, implementation)
    await new Promise<void>((resolve, reject) => {
      const credentials = ServerCredentials.createInsecure()
      server.bindAsync(`unix://${this.socket}`, credentials, (error) => (error ? reject(error) : resolve()))
    })
    this.#server = server
  }

  /** As a crash: what is under way breaks off. */
  stop(): void {
    this.#server?.forceShutdown()
    this.#server = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #answering(method: string): handleUnaryCall<Message, Message> {
    return async ({ request }, answer) => {
      try {
        const said = await this.#said(method, request)
        if (Symbol.asyncIterator in said) throw new Refusal(13, `${method} has one answer`)
        answer(null, said)
      } catch (error) {
        answer(statusOf(error))
      }
    }
  }

  #streaming(method: string): handleServerStreamingCall<Message, Message> {
    return async (call) => {
      try {
        const said = await this.#said(method, call.request)
        if (!isStream(said)) throw new Refusal(13, `${method} answers with a stream`)
        for await (const message of said) call.write(message)
        call.end()
      } catch (error) {
        call.emit('error', statusOf(error))
      }
    }
  }

  async #said(method: string, request: Message): Promise<Message | AsyncIterable<Message>> {
    this.calls.push({ method, request })
    const script = this.scripts[method]
    if (!script) throw new Refusal(12, `method ${method} not implemented`)
    return script(request)
  }
}

function isStream(said: Message | AsyncIterable<Message>): said is AsyncIterable<Message> {
  return Symbol.asyncIterator in said
}

function statusOf(error: unknown) {
  return error instanceof Refusal
    ? { code: error.code, details: error.message }
    : { code: 2, details: error instanceof Error ? error.message : String(error) }
}
