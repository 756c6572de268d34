"""A tiny LLaMA as a GGUF file, written with random weights in 4 bits."""

import gguf
import numpy as np

LAYERS, HIDDEN, INTERMEDIATE, HEADS = 2, 32, 64, 4
ENTRIES = ["<|endoftext|>", "<s>", "</s>", *map(chr, range(97, 123)), "Ġ", "ap", "app", "Ġa", "Ġap"]
MERGES = ["a p", "ap p", "Ġ a", "Ġa p"]


def write(path, seed=0):
    """Write the file; return the tensors that its 4-bit blocks stand for, by their names in it."""
    draw = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(ENTRIES))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(ENTRIES)
    writer.add_token_types([3, 3, 3] + [1] * (len(ENTRIES) - 3))
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    shapes = {"token_embd.weight": (len(ENTRIES), HIDDEN), "output_norm.weight": (HIDDEN,)}
    for n in range(LAYERS):
        inside = {name: (HIDDEN, HIDDEN) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        inside |= {name: (INTERMEDIATE, HIDDEN) for name in ("ffn_gate", "ffn_up")}
        inside |= {"ffn_down": (HIDDEN, INTERMEDIATE)}
        inside |= {"attn_norm": (HIDDEN,), "ffn_norm": (HIDDEN,)}
        shapes |= {f"blk.{n}.{name}.weight": shape for name, shape in inside.items()}
    found = {}
    for name, shape in shapes.items():
        values = draw.normal(0, 0.3, shape).astype(np.float32) + (len(shape) == 1)
        if len(shape) == 1:
            writer.add_tensor(name, values)
            found[name] = values
        else:
            kind = gguf.GGMLQuantizationType.Q4_1
            blocks = gguf.quants.quantize(values, kind)
            writer.add_tensor(name, blocks, raw_dtype=kind)
            found[name] = gguf.quants.dequantize(blocks, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return found
