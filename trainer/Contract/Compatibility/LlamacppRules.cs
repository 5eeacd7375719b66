namespace Graft.Contract;

/// <summary>
/// llama.cpp since July 2024 (#8332): <c>src/llama-adapter.cpp</c> (what of a file it checks: type, architecture, names and shapes;
/// the scale
/// is alpha / r of each pair) and <c>convert_lora_to_gguf.py</c>, which ends at any tensor that is neither A, B nor a norm.
/// </summary>
internal sealed class LlamacppRules : EngineRules
{
    private static readonly string[] ModelTypes =
        ["gemma", "gemma2", "gemma3", "gemma3_text", "gpt2", "llama", "mistral", "mixtral", "phi", "phi3", "qwen2", "qwen3"];

    public override void Judge(Judged adapter, List<string> reasons, List<string> hints)
    {
        var facts = adapter.Facts;
        if (!NeedsLora("llama.cpp", adapter, reasons)) return;
        NeedsGeneration("llama.cpp", adapter, reasons);
        NeedsModelType("llama.cpp", adapter, ModelTypes, reasons, hints);
        var whole = new List<string>();
        if (facts.Dora) whole.Add("DoRA's magnitudes");
        if (facts.ModulesToSave.Count > 0) whole.Add($"modules that are saved whole ({string.Join(", ", facts.ModulesToSave)})");
        if (facts.Bias is not (null or "none")) whole.Add("biases");
        if (whole.Count > 0)
            reasons.Add($"A LoRA for llama.cpp cannot hold {string.Join(" or ", whole)}; "
                + "merge it with 'graft-trainer merge --output FILE.gguf' and serve the model that comes out.");
        else if (adapter.Format != AdapterFormat.Gguf)
            reasons.Add("llama.cpp reads adapters as GGUF files, and this is a folder; write it as one with "
                + "'graft-trainer export --model BASE --adapter FOLDER --output FILE.gguf'.");
        else hints.Add("Start llama.cpp's server with --lora FILE; files cannot be added while it runs.");
    }
}
