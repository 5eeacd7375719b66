namespace Graft.Contract;

/// <summary>What may be asked to serve an adapter.</summary>
public enum ServingEngine { Vllm, Sglang, Llamacpp, Graft }

/// <summary>How an adapter lies on disk.</summary>
public enum AdapterFormat
{
    /// <summary>A folder as Hugging Face PEFT writes it.</summary>
    Peft,

    /// <summary>A folder as AdapterHub's library writes it.</summary>
    AdapterHub,

    /// <summary>One file for llama.cpp.</summary>
    Gguf,
}
