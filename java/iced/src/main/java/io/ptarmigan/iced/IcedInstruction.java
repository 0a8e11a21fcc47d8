// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.iced;

import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.FunctionImport;
import java.util.List;

/**
 * One iced-x86 1.21.0 decoder with one instruction, both inside a WebAssembly instance of their
 * own: {@link #decode} fills the instruction, the other methods read it. Numbers returned are those
 * of iced's enumerations (Mnemonic, OpKind, Register, ...), see iced_x86.d.ts of the npm package.
 *
 * <p>Not thread-safe. Each call allocates and may throw whatever Chicory throws, for instance when
 * the thread is interrupted; the instance must not be used again after that.
 */
public final class IcedInstruction {
  /** Bytes that {@link #decode} looks at. */
  public static final int BYTES = 16;

  private static final int STACK_FRAME = 16;
  private static final List<Integer> BITS = List.of(16, 32, 64);

  private final Memory memory;

  /** A stack frame in the instance: where functions put results that take more than a word. */
  private final int result;

  private final long instruction;
  private final long[] decoders = new long[BITS.size()];
  private final int[] buffers = new int[BITS.size()];

  private final ExportFunction setPosition;
  private final ExportFunction setIp;
  private final ExportFunction decodeOut;
  private final ExportFunction lastError;
  private final ExportFunction length;
  private final ExportFunction mnemonic;
  private final ExportFunction encoding;
  private final ExportFunction opCount;
  private final ExportFunction op0Kind;
  private final ExportFunction op1Kind;
  private final ExportFunction op2Kind;
  private final ExportFunction op0Register;
  private final ExportFunction op1Register;
  private final ExportFunction op2Register;
  private final ExportFunction memorySize;
  private final ExportFunction memorySizeBytes;
  private final ExportFunction memoryBase;
  private final ExportFunction memoryIndex;
  private final ExportFunction memoryScale;
  private final ExportFunction memoryDisplacement;
  private final ExportFunction memoryDisplacementBytes;
  private final ExportFunction memorySegment;
  private final ExportFunction hasLock;
  private final ExportFunction hasRep;
  private final ExportFunction hasRepne;
  private final ExportFunction conditionCode;
  private final ExportFunction stackPointerIncrement;
  private final ExportFunction immediate;
  private final ExportFunction nearBranchTarget;
  private final ExportFunction isNearCall;
  private final ExportFunction isNearCallIndirect;

  public IcedInstruction() {
    WasmModule module = IcedX86.load();
    Instance instance =
        Instance.builder(module)
            .withImportValues(noHost(module))
            .withMachineFactory(IcedX86::create)
            .build();
    memory = instance.memory();
    setPosition = instance.export("decoder_set_position");

    setIp = instance.export("decoder_set_ip");
    decodeOut = instance.export("decoder_decodeOut");
    lastError = instance.export("decoder_lastError");
    length = instance.export("instruction_length");
    mnemonic = instance.export("instruction_mnemonic");
    encoding = instance.export("instruction_encoding");
    opCount = instance.export("instruction_opCount");
    op0Kind = instance.export("instruction_op0Kind");
    op1Kind = instance.export("instruction_op1Kind");
    op2Kind = instance.export("instruction_op2Kind");
    op0Register = instance.export("instruction_op0Register");
    op1Register = instance.export("instruction_op1Register");
    op2Register = instance.export("instruction_op2Register");
    memorySize = instance.export("instruction_memorySize");
    memorySizeBytes = instance.export("memorysizeext_size");
    memoryBase = instance.export("instruction_memoryBase");
    memoryIndex = instance.export("instruction_memoryIndex");
    memoryScale = instance.export("instruction_memoryIndexScale");
    memoryDisplacement = instance.export("instruction_memoryDisplacement");
    memoryDisplacementBytes = instance.export("instruction_memoryDisplSize");
    memorySegment = instance.export("instruction_memorySegment");
    hasLock = instance.export("instruction_hasLockPrefix");
    hasRep = instance.export("instruction_hasRepPrefix");
    hasRepne = instance.export("instruction_hasRepnePrefix");
    conditionCode = instance.export("instruction_conditionCode");
    stackPointerIncrement = instance.export("instruction_stackPointerIncrement");
    immediate = instance.export("instruction_immediate");
    nearBranchTarget = instance.export("instruction_nearBranchTarget");
    isNearCall = instance.export("instruction_isCallNear");
    isNearCallIndirect = instance.export("instruction_isCallNearIndirect");

    ExportFunction malloc = instance.export("__wbindgen_malloc");
    ExportFunction newDecoder = instance.export("decoder_new");
    result = (int) instance.export("__wbindgen_add_to_stack_pointer").apply(-STACK_FRAME)[0];
    for (int i = 0; i < decoders.length; i++) {
      buffers[i] = (int) malloc.apply(BYTES, 1)[0];
      newDecoder.apply(result, BITS.get(i), buffers[i], BYTES, 0);
      if (memory.readInt(result + 8) != 0) {
        throw new IllegalStateException("iced-x86 refuses to decode " + BITS.get(i) + "-bit code");
      }
      decoders[i] = memory.readInt(result);
    }
    instruction = instance.export("instruction_new").apply()[0];
  }

  /** The module asks its host for JavaScript objects only where no caller here goes. */
  private static ImportValues noHost(WasmModule module) {
    ImportFunction[] functions =
        module.importSection().stream()
            .map(FunctionImport.class::cast)
            .map(
                wanted ->
                    new HostFunction(
                        wanted.module(),
                        wanted.name(),
                        module.typeSection().getType(wanted.typeIndex()),
                        (instance, arguments) -> {
                          throw new IllegalStateException("iced-x86 called " + wanted.name());
                        }))
            .toArray(ImportFunction[]::new);
    return ImportValues.builder().addFunction(functions).build();
  }

  /**
   * Decodes the instruction at address 0 whose bytes are {@code low} and {@code high}, first byte
   * lowest. Relative operands come out relative to that address.
   *
   * @param bits 16, 32 or 64
   * @return whether the bytes are an instruction
   */
  public boolean decode(int bits, long low, long high) {
    int mode = BITS.indexOf(bits);
    memory.writeLong(buffers[mode], low);
    memory.writeLong(buffers[mode] + 8, high);
    setPosition.apply(result, decoders[mode], 0);
    setIp.apply(decoders[mode], 0);
    decodeOut.apply(decoders[mode], instruction);
    return lastError.apply(decoders[mode])[0] == 0;
  }

  /** Bytes, 1 to 15. */
  public int length() {
    return of(length);
  }

  public int mnemonic() {
    return of(mnemonic);
  }

  /** 0 for the legacy encoding, 1 for VEX, more for later ones. */
  public int encoding() {
    return of(encoding);
  }

  public int opCount() {
    return of(opCount);
  }

  /** Kind of operand 0 to 2. */
  public int opKind(int operand) {
    return of(operand == 0 ? op0Kind : operand == 1 ? op1Kind : op2Kind);
  }

  /** Register of operand 0 to 2. */
  public int opRegister(int operand) {
    return of(operand == 0 ? op0Register : operand == 1 ? op1Register : op2Register);
  }

  /** Bytes of the memory operand, 0 if there is none. */
  public int memoryBytes() {
    return (int) memorySizeBytes.apply(memorySize.apply(instruction)[0])[0];
  }

  public int memoryBase() {
    return of(memoryBase);
  }

  public int memoryIndex() {
    return of(memoryIndex);
  }

  /** 1, 2, 4 or 8. */
  public int memoryScale() {
    return of(memoryScale);
  }

  public long memoryDisplacement() {
    return memoryDisplacement.apply(instruction)[0];
  }

  /** Bytes of the displacement; without base and index that is the address size. */
  public int memoryDisplacementBytes() {
    return of(memoryDisplacementBytes);
  }

  /** Segment register that the memory operand uses, a prefix included. */
  public int memorySegment() {
    return of(memorySegment);
  }

  public boolean hasLock() {
    return of(hasLock) != 0;
  }

  /** F3 or F2. */
  public boolean hasRepeat() {
    return of(hasRep) != 0 || of(hasRepne) != 0;
  }

  public int conditionCode() {
    return of(conditionCode);
  }

  /** Bytes added to the stack pointer, negative for a push. */
  public int stackPointerIncrement() {
    return of(stackPointerIncrement);
  }

  /** Immediate operand, sign-extended where the instruction does so. */
  public long immediate(int operand) {
    immediate.apply(result, instruction, operand);
    return memory.readLong(result);
  }

  /** Target of a near call or jump, relative to the first byte of the instruction. */
  public long nearBranchTarget() {
    return nearBranchTarget.apply(instruction)[0];
  }

  public boolean isNearCall() {
    return of(isNearCall) != 0 || of(isNearCallIndirect) != 0;
  }

  private int of(ExportFunction property) {
    return (int) property.apply(instruction)[0];
  }
}
