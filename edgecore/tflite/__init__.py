"""Reading .tflite files in plain Python: verified before native code sees them, described layer by layer."""
