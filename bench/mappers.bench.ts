import { measureModbus } from './modbus-speed.ts'

/** What mappers reach, beside what nature or the bare client library allow, in one run. */
await measureModbus()
